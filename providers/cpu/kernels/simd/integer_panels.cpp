// The product with packed 8-bit panels at one instruction set level.
#include "cpu/loops/integer_panels.h"

#include <cstring>

#include "integer_dot.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc);

namespace {

using integer::dot, integer::kLanes, integer::load, integer::splat, integer::store, integer::Sums, integer::zero;
#if ONNXRUN_SIMD_LEVEL >= 4
constexpr int kRows = 6, kVectors = 4;
#else
constexpr int kRows = 4, kVectors = 2;
#endif

// R rows of A times V vectors of columns, in registers.
template <int R, int V>
void tile(const uint8_t* a, int64_t lda, const int8_t* b, int64_t groups, int32_t* c, int64_t ldc, int64_t columns) {
  Sums sums[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sums[r][v] = zero();
  for (int64_t g = 0; g < groups; ++g, b += 4 * kPanel) {
    Sums row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[v] = load(b + v * 4 * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      int32_t word;
      std::memcpy(&word, a + r * lda + 4 * g, 4);
      const Sums x = splat(word);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = dot(sums[r][v], x, row[v]);
    }
  }
  if (columns >= V * kLanes) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) store(c + r * ldc + v * kLanes, sums[r][v]);
    return;
  }
  int32_t buffer[R][V * kLanes];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(&buffer[r][v * kLanes], sums[r][v]);
  for (int r = 0; r < R; ++r) std::memcpy(c + r * ldc, buffer[r], static_cast<size_t>(columns) * 4);
}

template <int R>
void across(const uint8_t* a, int64_t lda, const int8_t* b, int64_t groups, int32_t* c, int64_t ldc, int64_t columns) {
  constexpr int64_t kWide = kVectors * kLanes;
  for (int64_t j = 0; j < columns; j += kWide) tile<R, kVectors>(a, lda, b + 4 * j, groups, c + j, ldc, columns - j);
}

}  // namespace

void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc) {
  const int64_t groups = grouped_depth(k) / 4;
  for (int64_t first = 0; first < n; first += kPanel, packed += groups * 4 * kPanel) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows)
      across<kRows>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
    for (; row + 2 <= m; row += 2) across<2>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
    if (row < m) across<1>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
