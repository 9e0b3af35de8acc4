// Functions of one byte by table at one instruction set level.
#include "integer_dot.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n);

namespace {

#if ONNXRUN_SIMD_LEVEL >= 4

// Processors with 8-bit dot products before Ice Lake have no shuffles of whole registers of bytes.
[[gnu::target("avx512vbmi")]] int64_t look_up_shuffled(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  const __m512i a = _mm512_loadu_si512(table), b = _mm512_loadu_si512(table + 64), c = _mm512_loadu_si512(table + 128),
                d = _mm512_loadu_si512(table + 192);
  for (int64_t i = 0; i < n; i += 64) {
    const __mmask64 left = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
    const __m512i index = _mm512_maskz_loadu_epi8(left, x + i);
    const __m512i low = _mm512_permutex2var_epi8(a, index, b), high = _mm512_permutex2var_epi8(c, index, d);
    _mm512_mask_storeu_epi8(y + i, left, _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high));
  }
  return n;
}

#endif

#if ONNXRUN_SIMD_LEVEL == 3

// For each sixteenth of the table: indices beyond it get their highest bit set, for which a shuffle gives 0.
int64_t look_up_shuffled(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    __m256i result = _mm256_setzero_si256();
#pragma GCC unroll 16
    for (int part = 0; part < 16; ++part) {
      const __m256i own = _mm256_adds_epu8(_mm256_xor_si256(index, _mm256_set1_epi8(static_cast<char>(16 * part))),
                                           _mm256_set1_epi8(0x70));
      const __m256i piece =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * part)));
      result = _mm256_or_si256(result, _mm256_shuffle_epi8(piece, own));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), result);
  }
  return i;
}

#endif

}  // namespace

void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  int64_t i = 0;
#if ONNXRUN_SIMD_LEVEL >= 4
  static const bool shuffles = __builtin_cpu_supports("avx512vbmi") != 0;
  if (shuffles && n >= 16) i = look_up_shuffled(table, x, y, n);
#elif ONNXRUN_SIMD_LEVEL == 3
  i = look_up_shuffled(table, x, y, n);
#endif
  for (; i < n; ++i) y[i] = table[x[i]];
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
