// Choice of the rows of Where and ArgMax of this machine's level.
#include "cpu/loops/choice_rows.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                          \
  namespace simd::level {                               \
  RowKernel choice_row(int64_t bytes);                  \
  const ExtremeRows<float>& float_extreme_rows();       \
  const ExtremeRows<double>& double_extreme_rows();     \
  const ExtremeRows<int64_t>& signed_extreme_rows();    \
  const ExtremeRows<uint64_t>& unsigned_extreme_rows(); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

RowKernel choice_row(int64_t bytes) { ONNXRUN_SIMD_CALL(choice_row, bytes); }

template <>
const ExtremeRows<float>& extreme_rows() {
  ONNXRUN_SIMD_CALL(float_extreme_rows);
}
template <>
const ExtremeRows<double>& extreme_rows() {
  ONNXRUN_SIMD_CALL(double_extreme_rows);
}
template <>
const ExtremeRows<int64_t>& extreme_rows() {
  ONNXRUN_SIMD_CALL(signed_extreme_rows);
}
template <>
const ExtremeRows<uint64_t>& extreme_rows() {
  ONNXRUN_SIMD_CALL(unsigned_extreme_rows);
}

}  // namespace onnxrun::cpu
