// The choice of the products with blocks of weights at this machine's level.
#include "cpu/loops/block_weights.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                                                       \
  namespace simd::level {                                                                                            \
  void multiply_blocks(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c, \
                       int64_t ldc, int64_t columns);                                                                \
  void unpack_blocks(const BlockPanel& panel, int64_t first, int64_t last, float* to);                               \
  void quantize_blocks(const BlockPanel& panel, const float* a, int8_t* bytes, float* scales, int32_t* sums);        \
  void multiply_integer_blocks(const BlockPanel& panel, const int8_t* a, int64_t depth, const float* scales,         \
                               const int32_t* sums, int64_t m, float* c, int64_t ldc, int64_t columns);              \
  }
ONNXRUN_SIMD_FOR_EACH_INTEGER_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

void multiply_blocks(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c,
                     int64_t ldc, int64_t columns) {
  ONNXRUN_SIMD_CALL(multiply_blocks, panel, a, lda, sums, m, c, ldc, columns)
}

void unpack_blocks(const BlockPanel& panel, int64_t first, int64_t last, float* to) {
  ONNXRUN_SIMD_CALL(unpack_blocks, panel, first, last, to)
}

void multiply_integer_blocks(const BlockPanel& panel, const int8_t* a, int64_t depth, const float* scales,
                             const int32_t* sums, int64_t m, float* c, int64_t ldc, int64_t columns) {
  ONNXRUN_SIMD_INTEGER_CALL(multiply_integer_blocks, panel, a, depth, scales, sums, m, c, ldc, columns)
}

void quantize_blocks(const BlockPanel& panel, const float* a, int8_t* bytes, float* scales, int32_t* sums) {
  ONNXRUN_SIMD_CALL(quantize_blocks, panel, a, bytes, scales, sums)
}

}  // namespace onnxrun::cpu
