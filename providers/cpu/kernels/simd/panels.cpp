// The product with packed panels at one instruction set level.
#include "cpu/loops/panels.h"

#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc);

namespace {

// R rows of A times V vectors of columns, in registers.
template <int R, int V>
void tile(const float* a, int64_t lda, const float* b, int64_t k, bool add, float* c, int64_t ldc, int64_t columns) {
  Vector sums[R][V] = {};
  for (int64_t i = 0; i < k; ++i, b += kPanel) {
    Vector row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[v] = load(b + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vector x = splat(a[r * lda + i]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = madd(x, row[v], sums[r][v]);
    }
  }
  if (columns >= V * kWidth) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        float* to = c + r * ldc + v * kWidth;
        store(to, add ? load(to) + sums[r][v] : sums[r][v]);
      }
    return;
  }
  float buffer[R * V * kWidth];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(buffer + (r * V + v) * kWidth, sums[r][v]);
  for (int64_t r = 0; r < R; ++r)
    for (int64_t j = 0; j < columns; ++j) c[r * ldc + j] = buffer[r * V * kWidth + j] + (add ? c[r * ldc + j] : 0.0f);
}

#if ONNXRUN_SIMD_LEVEL >= 4
constexpr int kRows = 6, kVectors = 4, kWide = 4;
#else
constexpr int kRows = 6, kVectors = 2, kWide = 8;
#endif

template <int R, int V>
void across(const float* a, int64_t lda, const float* b, int64_t k, bool add, float* c, int64_t ldc, int64_t columns) {
  for (int64_t j = 0; j < columns; j += V * kWidth) tile<R, V>(a, lda, b + j, k, add, c + j, ldc, columns - j);
}

}  // namespace

void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc) {
  for (int64_t first = 0; first < n; first += kPanel, packed += k * kPanel) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows)
      across<kRows, kVectors>(a + row * lda, lda, packed, k, add, c + row * ldc + first, ldc, columns);
    for (; row + 2 <= m; row += 2)
      across<2, kVectors>(a + row * lda, lda, packed, k, add, c + row * ldc + first, ldc, columns);
    if (row < m) across<1, kWide>(a + row * lda, lda, packed, k, add, c + row * ldc + first, ldc, columns);
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
