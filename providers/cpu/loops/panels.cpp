// Packing of panels, and the choice of their product at this machine's level.
#include "cpu/loops/panels.h"

#include <algorithm>

#include "base/error.h"
#include "cpu/kernels/simd/narrow_floats.h"
#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

using base::Bfloat16;

#define ONNXRUN_DECLARE(level)                                                                                        \
  namespace simd::level {                                                                                             \
  void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,   \
                       float* c, int64_t ldc);                                                                        \
  void multiply_panels(const double* a, int64_t lda, const double* packed, int64_t m, int64_t k, int64_t n, bool add, \
                       double* c, int64_t ldc);                                                                       \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

#if defined(__x86_64__)
#define ONNXRUN_DECLARE(level)                                                                               \
  namespace simd::level {                                                                                    \
  void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, \
                       int64_t n, bool add, float* c, int64_t ldc);                                          \
  }
ONNXRUN_DECLARE(bf16)
ONNXRUN_DECLARE(spr)
#undef ONNXRUN_DECLARE
#endif

namespace {

template <class T>
void pack(const T* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, T* packed) {
  for (int64_t first = 0; first < n; first += kPanel, packed += k * kPanel) {
    const int64_t columns = std::min(kPanel, n - first);
    const T* from = b + first * column_stride;
    if (columns < kPanel) std::fill_n(packed, k * kPanel, T(0));
    if (column_stride == 1) {
      for (int64_t i = 0; i < k; ++i) std::copy_n(from + i * row_stride, columns, packed + i * kPanel);
    } else {
      constexpr int64_t kLine = 64 / sizeof(T);  // written at once
      for (int64_t line = 0; line < columns; line += kLine)
        for (int64_t i = 0; i < k; ++i)
          for (int64_t j = line; j < std::min(columns, line + kLine); ++j)
            packed[i * kPanel + j] = from[i * row_stride + j * column_stride];
    }
  }
}

}  // namespace

void pack_panels(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float* packed) {
  pack(b, row_stride, column_stride, k, n, packed);
}
void pack_panels(const double* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, double* packed) {
  pack(b, row_stride, column_stride, k, n, packed);
}

void pack_row(const float* from, int64_t k, Bfloat16Pair* to) {
  if (k % 2 != 0) to[k / 2].second = Bfloat16(0.0f);
  simd::convert(from, reinterpret_cast<Bfloat16*>(to), k);
}

void pack_panels(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float scale,
                 Bfloat16Pair* packed) {
  for (int64_t first = 0; first < n; first += kPanel) {
    const int64_t columns = std::min(kPanel, n - first);
    for (int64_t i = 0; i < k; i += 2, packed += kPanel) {
      float rows[2][kPanel] = {};
      for (int64_t r = 0; r < std::min<int64_t>(2, k - i); ++r)
        for (int64_t j = 0; j < columns; ++j)
          rows[r][j] = scale * b[(i + r) * row_stride + (first + j) * column_stride];
      Bfloat16 rounded[2][kPanel];
      simd::convert(rows[0], rounded[0], 2 * kPanel);
      for (int64_t j = 0; j < kPanel; ++j) packed[j] = {rounded[0][j], rounded[1][j]};
    }
  }
}

void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc) {
  ONNXRUN_SIMD_CALL(multiply_panels, a, lda, packed, m, k, n, add, c, ldc)
}

void multiply_panels(const double* a, int64_t lda, const double* packed, int64_t m, int64_t k, int64_t n, bool add,
                     double* c, int64_t ldc) {
  ONNXRUN_SIMD_CALL(multiply_panels, a, lda, packed, m, k, n, add, c, ldc)
}

bool multiplies_pairs() { return simd_level() >= SimdLevel::kBf16; }

void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t depth,
                     int64_t n, bool add, float* c, int64_t ldc) {
#if defined(__x86_64__)
  if (simd_level() == SimdLevel::kSpr) return simd::spr::multiply_panels(a, lda, packed, m, depth, n, add, c, ldc);
  if (multiplies_pairs()) return simd::bf16::multiply_panels(a, lda, packed, m, depth, n, add, c, ldc);
#endif
  throw base::Error(base::Code::kInternal, "bfloat16 pairs cannot be multiplied at this instruction set level");
}

}  // namespace onnxrun::cpu
