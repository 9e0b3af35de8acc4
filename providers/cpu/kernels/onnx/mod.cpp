// Mod: the remainder of floored division (fmod=0) or of truncated division (fmod=1) (ONNX Mod-28).
#include <cmath>
#include <limits>

#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {
namespace {

// fmod, through a quotient that double holds exactly: below 2^28 it is off by one at most, and its product with b has 52 bits.
float remainder(float a, float b) {
  const double x = std::fabs(static_cast<double>(a)), y = std::fabs(static_cast<double>(b)), quotient = x / y;
  if (!(quotient < 0x1p28) || y > static_cast<double>(std::numeric_limits<float>::max())) return std::fmod(a, b);
  double rest = x - std::trunc(quotient) * y;
  rest = rest < 0 ? rest + y : rest;
  rest = rest >= y ? rest - y : rest;
  return std::copysign(static_cast<float>(rest), a);
}

struct Truncated {
  template <class T>
  static T of(T a, T b) {
    if constexpr (std::is_same_v<T, float>) return remainder(a, b);
    else if constexpr (std::is_floating_point_v<T>) return std::fmod(a, b);
    else {
      if (b == 0) base::fail(base::Code::kRunFailed, "Mod: an element of the integer input 'B' is 0");
      if constexpr (std::is_signed_v<T>)
        if (b == -1) return T(0);
      return static_cast<T>(a % b);
    }
  }
};

// The result has the sign of the divisor.
struct Floored {
  template <class T>
  static T of(T a, T b) {
    const T r = Truncated::of(a, b);
    if constexpr (std::is_floating_point_v<T>) {
      if (r == T(0)) return std::copysign(T(0), b);
      return (r < T(0)) != (b < T(0)) && r == r ? r + b : r;
    } else {
      return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
    }
  }
};

template <class F>
RowKernel kernel(DType type) {
  RowKernel result = nullptr;
  dispatch(WideNumbers{}, type, [&](auto t) { result = binary_kernel<F, typename decltype(t)::type>; });
  return result;
}

struct Mod {
  static constexpr size_t kInputs = 2;

  static RowChoice choose(const Node& node) {
    const DType work = work_type(dtype(node.input(0)));
    return all_in(work, node.get_int("fmod", 0) != 0 ? kernel<Truncated>(work) : kernel<Floored>(work));
  }
  static int cost(const Node&) { return 8; }
};

}  // namespace

void kernels_onnx_mod(provider::KernelTable& table) { table.add<ElementwiseKernel<Mod>>("", "Mod", "reference"); }

}  // namespace onnxrun::cpu
