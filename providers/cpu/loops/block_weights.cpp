// The choice of the products with blocks of weights at this machine's level, and the quantisation of activations for them.
#include "cpu/loops/block_weights.h"

#include <algorithm>
#include <cmath>

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                                                       \
  namespace simd::level {                                                                                            \
  void multiply_blocks(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c, \
                       int64_t ldc, int64_t columns);                                                                \
  void unpack_blocks(const BlockPanel& panel, int64_t first, int64_t last, float* to);                               \
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
  const int64_t group = word_depth(panel.bits), shifts = 8 / panel.bits;
  for (int64_t b = 0; b < panel.blocks; ++b) {
    const int64_t first = panel.starts[b] * group, last = panel.starts[b + 1] * group;
    float most = 0;
    for (int64_t i = first; i < last; ++i) most = std::max(most, std::abs(a[i]));
    scales[b] = most / 127.0f;
    const float factor = most > 0 ? 127.0f / most : 0.0f;
    int32_t sum = 0;
    for (int64_t t = first; t < last; t += group)
      for (int64_t i = 0; i < group; ++i) {
        // Element i of a word sits in byte i / shifts of the word shifted right by i % shifts elements.
        const auto value = static_cast<int32_t>(std::nearbyint(std::clamp(a[t + i] * factor, -127.0f, 127.0f)));
        bytes[t + i % shifts * 4 + i / shifts] = static_cast<int8_t>(value);
        sum += value;
      }
    sums[b] = sum;
  }
}

}  // namespace onnxrun::cpu
