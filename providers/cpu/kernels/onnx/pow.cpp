// Pow: X to the power Y, whose type may be another (ONNX Pow-15). Integer powers of integers are exact and wrap.
#include <cmath>
#include <limits>

#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {
namespace {

// Exponents that models use and that a multiplication or a root answers.
template <class T>
bool simple_power(const Row& row, T y) {
  if (y == T(2)) unary_row<T, T>(row, [](T x) { return x * x; });
  else if (y == T(1)) unary_row<T, T>(row, [](T x) { return x; });
  else if (y == T(3)) unary_row<T, T>(row, [](T x) { return x * x * x; });
  else if (y == T(-1)) unary_row<T, T>(row, [](T x) { return T(1) / x; });
  else if (y == T(0.5)) {
    // pow(-0, 0.5) is +0 and pow(-infinity, 0.5) is +infinity, unlike the root.
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    unary_row<T, T>(row, [](T x) { return x == -kInfinity ? kInfinity : std::sqrt(x) + T(0); });
  } else return false;
  return true;
}

template <class T>
void float_row(const Row& row) {
  if (row.stride[1] == 0 && simple_power(row, *static_cast<const T*>(row.in[1]))) return;
  binary_row<T, T, T>(row, [](T x, T y) { return std::pow(x, y); });
}

template <class T>
T integer_power(T x, int64_t y) {
  using U = std::make_unsigned_t<T>;
  if (y < 0) {
    if (x == 0) base::fail(base::Code::kRunFailed, "Pow: 0 to the power {}", y);
    if (x == -1) return (y & 1) != 0 ? T(-1) : T(1);
    return x == 1 ? T(1) : T(0);
  }
  U result = 1, factor = static_cast<U>(x);
  for (; y != 0; y >>= 1, factor *= factor)
    if ((y & 1) != 0) result *= factor;
  return static_cast<T>(result);
}

template <class T>
void integer_row(const Row& row) {
  using U = std::make_unsigned_t<T>;
  const int64_t y = row.stride[1] == 0 ? *static_cast<const int64_t*>(row.in[1]) : 0;
  if (y == 2) return unary_row<U, U>(row, [](U x) { return x * x; });
  if (y == 3) return unary_row<U, U>(row, [](U x) { return x * x * x; });
  binary_row<T, int64_t, T>(row, [](T x, int64_t y) { return integer_power(x, y); });
}

struct Pow {
  static constexpr size_t kInputs = 2;

  static RowChoice choose(const Node& node) {
    const DType x = dtype(node.input(0)), y = dtype(node.input(1));
    const bool exact = base::is_integer(y) && y != DType::kUint64;
    if (x == DType::kInt32 && exact) return {integer_row<int32_t>, {x, DType::kInt64, DType::kNone}, x};
    if (x == DType::kInt64 && exact) return {integer_row<int64_t>, {x, DType::kInt64, DType::kNone}, x};
    const bool narrow = work_type(x) == DType::kFloat32 && work_type(y) == DType::kFloat32;
    return narrow ? all_in(DType::kFloat32, float_row<float>) : all_in(DType::kFloat64, float_row<double>);
  }
  static int cost(const Node&) { return 32; }
};

}  // namespace

void kernels_onnx_pow(provider::KernelTable& table) { table.add<ElementwiseKernel<Pow>>("", "Pow", "reference"); }

}  // namespace onnxrun::cpu
