// Packing of panels, and the choice of their product at this machine's level.
#include "cpu/loops/panels.h"

#include <algorithm>

#include "cpu/simd_level.h"
#include "simd_levels.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                                                      \
  namespace simd::level {                                                                                           \
  void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add, \
                       float* c, int64_t ldc);                                                                      \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

void pack_panels(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float* packed) {
  for (int64_t first = 0; first < n; first += kPanel, packed += k * kPanel) {
    const int64_t columns = std::min(kPanel, n - first);
    const float* from = b + first * column_stride;
    if (columns < kPanel) std::fill_n(packed, k * kPanel, 0.0f);
    if (column_stride == 1) {
      for (int64_t i = 0; i < k; ++i) std::copy_n(from + i * row_stride, columns, packed + i * kPanel);
    } else {
      for (int64_t j = 0; j < columns; ++j)
        for (int64_t i = 0; i < k; ++i) packed[i * kPanel + j] = from[i * row_stride + j * column_stride];
    }
  }
}

void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case SimdLevel::kSpr: return simd::spr::multiply_panels(a, lda, packed, m, k, n, add, c, ldc);
    case SimdLevel::kV4: return simd::v4::multiply_panels(a, lda, packed, m, k, n, add, c, ldc);
    case SimdLevel::kV3: return simd::v3::multiply_panels(a, lda, packed, m, k, n, add, c, ldc);
    default: return simd::v2::multiply_panels(a, lda, packed, m, k, n, add, c, ldc);
#else
    default: return simd::generic::multiply_panels(a, lda, packed, m, k, n, add, c, ldc);
#endif
  }
}

}  // namespace onnxrun::cpu
