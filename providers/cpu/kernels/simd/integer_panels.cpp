// The product with packed 8-bit panels at one instruction set level.
#include "cpu/loops/integer_panels.h"

#include <cstring>

#if ONNXRUN_SIMD_LEVEL >= 2
#include <immintrin.h>
#endif

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n, int32_t* c, int64_t ldc);

namespace {

// Sums: a vector of int32. dot(sums, a, b) adds to each the product of four unsigned bytes of a with four signed ones of b, exactly.
#if ONNXRUN_SIMD_LEVEL >= 4
using Sums = __m512i;
constexpr int kRows = 6, kVectors = 4;
inline Sums zero() { return _mm512_setzero_si512(); }
inline Sums load(const void* from) { return _mm512_loadu_si512(from); }
inline void store(void* to, Sums value) { _mm512_storeu_si512(to, value); }
inline Sums splat(int32_t value) { return _mm512_set1_epi32(value); }
#if ONNXRUN_SIMD_LEVEL >= 5
inline Sums dot(Sums sums, Sums a, Sums b) { return _mm512_dpbusd_epi32(sums, a, b); }
#else
inline Sums dot(Sums sums, Sums a, Sums b) {
  const Sums even = _mm512_madd_epi16(_mm512_and_si512(a, _mm512_set1_epi16(0xff)), _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8));
  const Sums odd = _mm512_madd_epi16(_mm512_srli_epi16(a, 8), _mm512_srai_epi16(b, 8));
  return _mm512_add_epi32(sums, _mm512_add_epi32(even, odd));
}
#endif
#elif ONNXRUN_SIMD_LEVEL == 3
using Sums = __m256i;
constexpr int kRows = 4, kVectors = 2;
inline Sums zero() { return _mm256_setzero_si256(); }
inline Sums load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
inline void store(void* to, Sums value) { _mm256_storeu_si256(static_cast<__m256i*>(to), value); }
inline Sums splat(int32_t value) { return _mm256_set1_epi32(value); }
inline Sums dot(Sums sums, Sums a, Sums b) {
  const Sums even = _mm256_madd_epi16(_mm256_and_si256(a, _mm256_set1_epi16(0xff)), _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8));
  const Sums odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), _mm256_srai_epi16(b, 8));
  return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
}
#elif ONNXRUN_SIMD_LEVEL == 2
using Sums = __m128i;
constexpr int kRows = 4, kVectors = 2;
inline Sums zero() { return _mm_setzero_si128(); }
inline Sums load(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
inline void store(void* to, Sums value) { _mm_storeu_si128(static_cast<__m128i*>(to), value); }
inline Sums splat(int32_t value) { return _mm_set1_epi32(value); }
inline Sums dot(Sums sums, Sums a, Sums b) {
  const Sums even = _mm_madd_epi16(_mm_and_si128(a, _mm_set1_epi16(0xff)), _mm_srai_epi16(_mm_slli_epi16(b, 8), 8));
  const Sums odd = _mm_madd_epi16(_mm_srli_epi16(a, 8), _mm_srai_epi16(b, 8));
  return _mm_add_epi32(sums, _mm_add_epi32(even, odd));
}
#else
struct Sums {
  uint32_t lane[4];
};
constexpr int kRows = 4, kVectors = 2;
inline Sums zero() { return {}; }
inline Sums load(const void* from) {
  Sums result;
  std::memcpy(&result, from, sizeof result);
  return result;
}
inline void store(void* to, Sums value) { std::memcpy(to, &value, sizeof value); }
inline Sums splat(int32_t value) {
  const uint32_t word = static_cast<uint32_t>(value);
  return {{word, word, word, word}};
}
inline Sums dot(Sums sums, Sums a, Sums b) {
  uint8_t left[16];
  int8_t right[16];
  std::memcpy(left, &a, 16);
  std::memcpy(right, &b, 16);
  for (int i = 0; i < 16; ++i) sums.lane[i / 4] += static_cast<uint32_t>(left[i] * right[i]);
  return sums;
}
#endif
constexpr int64_t kLanes = sizeof(Sums) / 4;

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
  int32_t buffer[V * kLanes];
  for (int r = 0; r < R; ++r) {
    if (columns >= V * kLanes) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) store(c + r * ldc + v * kLanes, sums[r][v]);
    } else {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) store(buffer + v * kLanes, sums[r][v]);
      std::memcpy(c + r * ldc, buffer, static_cast<size_t>(columns) * 4);
    }
  }
}

template <int R>
void across(const uint8_t* a, int64_t lda, const int8_t* b, int64_t groups, int32_t* c, int64_t ldc, int64_t columns) {
  constexpr int64_t kWide = kVectors * kLanes;
  for (int64_t j = 0; j < columns; j += kWide) tile<R, kVectors>(a, lda, b + 4 * j, groups, c + j, ldc, columns - j);
}

}  // namespace

void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n, int32_t* c, int64_t ldc) {
  const int64_t groups = grouped_depth(k) / 4;
  for (int64_t first = 0; first < n; first += kPanel, packed += groups * 4 * kPanel) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows) across<kRows>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
    for (; row < m; ++row) across<1>(a + row * lda, lda, packed, groups, c + row * ldc + first, ldc, columns);
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
