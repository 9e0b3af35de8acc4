// IsNaN and IsInf of every floating-point type.
#include <cmath>
#include <limits>

#include "cpu/loops/fast.h"

namespace onnxrun::cpu {
namespace {

template <class T>
void is_nan_row(const Row& row) {
  unary_row<T, uint8_t>(row, [](T x) { return static_cast<uint8_t>(x != x); });
}

struct Signs {
  bool positive, negative;
};

template <class T>
void is_inf_row(const Row& row) {
  const auto [positive, negative] = *static_cast<const Signs*>(row.parameters);
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  // A limit that no element equals turns a sign off.
  const T high = positive ? kInfinity : std::numeric_limits<T>::quiet_NaN();
  const T low = negative ? -kInfinity : std::numeric_limits<T>::quiet_NaN();
  unary_row<T, uint8_t>(row, [&](T x) { return static_cast<uint8_t>((x == high) | (x == low)); });
}

struct FloatClass {
  static RowKernel other_row(std::string_view op, DType work) { return simd::truth_row(op, work); }
  static constexpr size_t kInputs = 1;
  using Parameters = Signs;

  static RowChoice choose(const Node& node) {
    const bool nan = node.op() == "IsNaN";
    const DType work = work_type(dtype(node.input(0)));
    RowKernel row = nullptr;
    if (work == DType::kFloat32) row = nan ? is_nan_row<float> : is_inf_row<float>;
    if (work == DType::kFloat64) row = nan ? is_nan_row<double> : is_inf_row<double>;
    return {row, {work, DType::kNone, DType::kNone}, DType::kNone};
  }
  static Parameters parameters(const Node& node) {
    return {node.get_int("detect_positive", 1) != 0, node.get_int("detect_negative", 1) != 0};
  }
};

}  // namespace

void kernels_onnx_float_class(provider::KernelTable& table) {
  for (const char* op : {"IsNaN", "IsInf"}) {
    table.add<ElementwiseKernel<Fast<FloatClass>>>("", op, "simd");
    table.add<ElementwiseKernel<FloatClass>>("", op, "reference");
  }
}

}  // namespace onnxrun::cpu
