// Conversions at one instruction set level.
#include "cpu/kernels/simd/conversions.h"

#include "base/dtype_of.h"
#include "cpu/loops/convert_element.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

using base::DType;

template <class From, class To>
void convert_all(const void* from, void* to, int64_t count) {
  // Compilers make vectors of bytes, not of booleans.
  using Read = std::conditional_t<std::is_same_v<From, bool>, uint8_t, From>;
  using Written = std::conditional_t<std::is_same_v<To, bool>, uint8_t, To>;
  const auto* x = static_cast<const Read*>(from);
  auto* y = static_cast<Written*>(to);
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<From, bool>) y[i] = x[i] != 0 ? Written(1) : Written(0);
    else y[i] = static_cast<Written>(convert_element<To>(x[i]));
  }
}

template <class From, class To>
void pick(DType from, DType to, Converter* result) {
  if constexpr (!std::is_same_v<From, To>)
    if (from == base::dtype_of<From> && to == base::dtype_of<To>) *result = convert_all<From, To>;
}
template <class From, class... To>
void pick_to(DType from, DType to, Converter* result) {
  (pick<From, To>(from, to, result), ...);
}
template <class... Types>
void pick_pair(DType from, DType to, Converter* result) {
  (pick_to<Types, Types...>(from, to, result), ...);
}

}  // namespace

Converter conversion(DType from, DType to) {
  Converter result = nullptr;
  pick_pair<float, double, int8_t, uint8_t, int32_t, int64_t, bool>(from, to, &result);
  return result;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
