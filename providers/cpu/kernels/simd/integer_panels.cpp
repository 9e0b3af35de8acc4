// The product with packed 8-bit panels at one instruction set level.
#include "cpu/loops/integer_panels.h"

#include <cstring>

#include "integer_dot.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc);
void interleave_rows(const uint8_t* const* rows, int64_t groups, uint8_t flip, int8_t* to, int32_t* sums);

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

// Down to as few vectors as the columns need.
template <int R, int V>
void across(const uint8_t* a, int64_t lda, const int8_t* b, int64_t groups, int32_t* c, int64_t ldc, int64_t columns) {
  int64_t j = 0;
  for (; j + (V - 1) * kLanes < columns; j += V * kLanes)
    tile<R, V>(a, lda, b + 4 * j, groups, c + j, ldc, columns - j);
  if constexpr (V > 1)
    if (j < columns) across<R, V - 1>(a, lda, b + 4 * j, groups, c + j, ldc, columns - j);
}

}  // namespace

void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc) {
  const int64_t groups = grouped_depth(k) / 4;
  for (int64_t first = 0; first < n; first += kPanel, packed += groups * 4 * kPanel) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows)
      across<kRows, kVectors>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
    for (; row + 2 <= m; row += 2)
      across<2, kVectors>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
    if (row < m) across<1, kVectors>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
  }
}

void interleave_rows(const uint8_t* const* rows, int64_t groups, uint8_t flip, int8_t* to, int32_t* sums) {
  constexpr int kVectorsOfSums = kPanel / kLanes;
  Sums totals[kVectorsOfSums];
#pragma GCC unroll 16
  for (int v = 0; v < kVectorsOfSums; ++v) totals[v] = load(sums + v * kLanes);
  const Sums ones = splat(0x01010101);
#if ONNXRUN_SIMD_LEVEL >= 2
  const __m128i bits = _mm_set1_epi8(static_cast<char>(flip));
#endif
  for (int64_t g = 0; g < groups; ++g, rows += 4, to += 4 * kPanel) {
    for (int64_t j = 0; j < kPanel; j += 16) {
#if ONNXRUN_SIMD_LEVEL >= 2
      const auto row = [&](int r) {
        return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + j)), bits);
      };
      const __m128i a = row(0), b = row(1), c = row(2), d = row(3);
      const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
      const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
      __m128i* out = reinterpret_cast<__m128i*>(to + 4 * j);
      _mm_storeu_si128(out, _mm_unpacklo_epi16(ab_low, cd_low));
      _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(ab_low, cd_low));
      _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(ab_high, cd_high));
      _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(ab_high, cd_high));
#else
      for (int64_t i = j; i < j + 16; ++i)
        for (int r = 0; r < 4; ++r) to[4 * i + r] = static_cast<int8_t>(rows[r][i] ^ flip);
#endif
    }
  }
  to -= groups * 4 * kPanel;
  for (int64_t g = 0; g < groups; ++g, to += 4 * kPanel)
#pragma GCC unroll 16
    for (int v = 0; v < kVectorsOfSums; ++v) totals[v] = dot(totals[v], ones, load(to + 4 * v * kLanes));
#pragma GCC unroll 16
  for (int v = 0; v < kVectorsOfSums; ++v) store(sums + v * kLanes, totals[v]);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
