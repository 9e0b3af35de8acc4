// BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot and BitShift.
#include <limits>

#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {
namespace {

struct And {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <class T>
  static T of(T a) {
    return static_cast<T>(~a);
  }
};

// Amounts outside [0, bits) shift everything out.
template <class T>
constexpr bool shifts_out(T amount) {
  return static_cast<std::make_unsigned_t<T>>(amount) >= sizeof(T) * 8;
}
struct Left {
  template <class T>
  static T of(T a, T b) {
    return shifts_out(b) ? T(0) : static_cast<T>(static_cast<uint64_t>(a) << static_cast<unsigned>(b & 63));
  }
};
struct Right {
  template <class T>
  static T of(T a, T b) {
    return shifts_out(b) ? static_cast<T>(a < 0 ? -1 : 0) : static_cast<T>(a >> static_cast<unsigned>(b & 63));
  }
};

// The type list holds the unsigned types for what does not depend on the sign.
template <class F, class List>
RowKernel kernel(DType type) {
  RowKernel result = nullptr;
  dispatch(List{}, type, [&](auto t) {
    using T = typename decltype(t)::type;
    if constexpr (requires(T x) { F::of(x); }) result = unary_kernel<F, T>;
    else result = binary_kernel<F, T>;
  });
  return result;
}

template <class F>
RowKernel by_size(DType type) {
  switch (base::dtype_bits(type)) {
    case 8: return kernel<F, UnsignedInts>(DType::kUint8);
    case 16: return kernel<F, UnsignedInts>(DType::kUint16);
    case 32: return kernel<F, UnsignedInts>(DType::kUint32);
    case 64: return kernel<F, UnsignedInts>(DType::kUint64);
    default: return nullptr;
  }
}

struct Bitwise {
  static constexpr size_t kInputs = 2;
  static RowChoice choose(const Node& node) {
    const DType type = dtype(node.input(0));
    if (node.op() == "BitwiseAnd") return {by_size<And>(type)};
    if (node.op() == "BitwiseOr") return {by_size<Or>(type)};
    if (node.op() == "BitwiseXor") return {by_size<Xor>(type)};
    if (node.get_string("direction") == "LEFT") return {kernel<Left, Ints>(type)};
    return {kernel<Right, Ints>(type)};
  }
};

struct BitwiseNot {
  static constexpr size_t kInputs = 1;
  static RowChoice choose(const Node& node) { return {by_size<Not>(dtype(node.input(0)))}; }
};

}  // namespace

void kernels_onnx_bitwise(provider::KernelTable& table) {
  for (const char* op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift"})
    table.add<ElementwiseKernel<Bitwise>>("", op, "reference");
  table.add<ElementwiseKernel<BitwiseNot>>("", "BitwiseNot", "reference");
}

}  // namespace onnxrun::cpu
