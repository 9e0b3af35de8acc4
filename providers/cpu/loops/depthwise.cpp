// The choice of depthwise rows at this machine's level.
#include "cpu/loops/depthwise.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                                                     \
  namespace simd::level {                                                                                          \
  void depthwise_row(const uint8_t* x, const int64_t* taps, const int32_t* weights, int64_t count, int64_t stride, \
                     uint8_t flip, int32_t* sums, int64_t n);                                                      \
  void depthwise_floats(const float* x, const float* weights, int64_t count, int64_t dilation, float bias,         \
                        float* sums, int64_t n);                                                                   \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

void depthwise_row(const uint8_t* x, const int64_t* taps, const int32_t* weights, int64_t count, int64_t stride,
                   uint8_t flip, int32_t* sums, int64_t n) {
  ONNXRUN_SIMD_CALL(depthwise_row, x, taps, weights, count, stride, flip, sums, n)
}

void depthwise_floats(const float* x, const float* weights, int64_t count, int64_t dilation, float bias, float* sums,
                      int64_t n) {
  ONNXRUN_SIMD_CALL(depthwise_floats, x, weights, count, dilation, bias, sums, n)
}

}  // namespace onnxrun::cpu
