// Add, Sub, Mul and Div with broadcasting. Integers wrap; their division truncates.
#include <algorithm>

#include "cpu/loops/fast.h"
#include "cpu/loops/number_functions.h"

namespace onnxrun::cpu {
namespace {

using numbers::Add;
using numbers::Mul;
using numbers::Sub;
using numbers::Wrapping;

struct Div {
  template <class T>
  static T of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a / b;
    else {
      if (b == 0) base::fail(base::Code::kRunFailed, "Div: an element of the integer input 'B' is 0");
      if constexpr (std::is_signed_v<T>)
        if (b == -1) return static_cast<T>(Wrapping<T>(0) - static_cast<Wrapping<T>>(a));
      return static_cast<T>(a / b);
    }
  }
};

// Quotients of 32-bit integers are exact in double, where vectors divide.
void divide_row(const Row& row) {
  const auto* divisors = static_cast<const int32_t*>(row.in[1]);
  bool zero = false;
  for (int64_t i = 0; i < (row.stride[1] == 0 ? std::min<int64_t>(1, row.count) : row.count); ++i)
    zero |= divisors[i] == 0;
  if (zero) return binary_kernel<Div, int32_t>(row);
  binary_row<int32_t, int32_t, int32_t>(row, [](int32_t a, int32_t b) {
    const double quotient = static_cast<double>(a) / static_cast<double>(b);
    return static_cast<int32_t>(quotient > 2147483647.0 ? -2147483648.0 : quotient);  // -2^31 / -1 wraps
  });
}

template <class F, class List>
RowKernel kernel(DType type) {
  RowKernel result = nullptr;
  dispatch(List{}, type, [&](auto t) { result = binary_kernel<F, typename decltype(t)::type>; });
  return result;
}

struct Arithmetic {
  static RowKernel other_row(std::string_view op, DType work) { return simd::number_row(op, work); }
  static constexpr size_t kInputs = 2;

  static RowChoice choose(const Node& node) {
    using Ring = Join<WideFloats, UnsignedInts>;
    const DType type = dtype(node.input(0));
    const DType work = work_type(type);
    RowKernel row = nullptr;
    if (node.op() == "Add") row = kernel<Add, Ring>(base::unsigned_of(work));
    if (node.op() == "Sub") row = kernel<Sub, Ring>(base::unsigned_of(work));
    if (node.op() == "Mul") row = kernel<Mul, Ring>(base::unsigned_of(work));
    if (node.op() == "Div") row = work == DType::kInt32 ? divide_row : kernel<Div, WideNumbers>(work);
    return work == type ? RowChoice{row} : all_in(work, row);
  }
  static int cost(const Node& node) { return node.op() == "Div" ? 4 : 1; }
};

}  // namespace

void kernels_onnx_arithmetic(provider::KernelTable& table) {
  for (const char* op : {"Add", "Sub", "Mul", "Div"}) {
    table.add<ElementwiseKernel<Fast<Arithmetic>>>("", op, "simd");
    table.add<ElementwiseKernel<Arithmetic>>("", op, "reference");
  }
}

}  // namespace onnxrun::cpu
