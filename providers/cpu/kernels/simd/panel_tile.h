// The product with packed panels, whatever stands in the 32 bits of an element: Arithmetic says how one is loaded, spread over a vector and multiplied.
#pragma once

#include "cpu/loops/panels.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

// R rows of A times V vectors of columns, in registers.
template <class Arithmetic, int R, int V, class Element>
void tile(const Element* a, int64_t lda, const Element* b, int64_t k, bool add, float* c, int64_t ldc,
          int64_t columns) {
  Vector sums[R][V] = {};
  for (int64_t i = 0; i < k; ++i, b += kPanel) {
    typename Arithmetic::Operand row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[v] = Arithmetic::load(b + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const auto x = Arithmetic::splat(a[r * lda + i]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = Arithmetic::add_products(x, row[v], sums[r][v]);
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

template <class Arithmetic, int R, int V, class Element>
void across(const Element* a, int64_t lda, const Element* b, int64_t k, bool add, float* c, int64_t ldc,
            int64_t columns) {
  for (int64_t j = 0; j < columns; j += V * kWidth)
    tile<Arithmetic, R, V>(a, lda, b + j, k, add, c + j, ldc, columns - j);
}

template <class Arithmetic, class Element>
void multiply(const Element* a, int64_t lda, const Element* packed, int64_t m, int64_t k, int64_t n, bool add, float* c,
              int64_t ldc) {
  for (int64_t first = 0; first < n; first += kPanel, packed += k * kPanel) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows)
      across<Arithmetic, kRows, kVectors>(a + row * lda, lda, packed, k, add, c + row * ldc + first, ldc, columns);
    for (; row + 2 <= m; row += 2)
      across<Arithmetic, 2, kVectors>(a + row * lda, lda, packed, k, add, c + row * ldc + first, ldc, columns);
    if (row < m) across<Arithmetic, 1, kWide>(a + row * lda, lda, packed, k, add, c + row * ldc + first, ldc, columns);
  }
}

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
