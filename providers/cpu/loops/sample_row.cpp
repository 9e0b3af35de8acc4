// Choice of the samples' row of this machine's level.
#include "cpu/loops/sample_row.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                            \
  namespace simd::level {                                                                 \
  void sample_row(const float* plane, const SampleTaps& taps, int64_t count, float* out); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

void sample_row(const float* plane, const SampleTaps& taps, int64_t count, float* out) {
  ONNXRUN_SIMD_CALL(sample_row, plane, taps, count, out);
}

}  // namespace onnxrun::cpu
