// A register's worth of sums at levels from v3 on: products of int16 pairs, sums to float32 and back, and bytes.
#pragma once

#include "integer_dot.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE::integer {

#if ONNXRUN_SIMD_LEVEL >= 4
using Floats = __m512;
inline Sums add(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
#if defined(__AVX512VNNI__)
inline Sums dot_pairs(Sums sums, Sums a, Sums b) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
  return sums;
}
#else
inline Sums dot_pairs(Sums sums, Sums a, Sums b) { return _mm512_add_epi32(sums, _mm512_madd_epi16(a, b)); }
#endif
inline Sums load_bytes(const void* from) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(from)));
}
// Each plus `zero`, which saturates, as a byte.
inline void store_bytes(void* to, Sums value, Sums zero) {
  value = _mm512_max_epi32(_mm512_add_epi32(value, zero), _mm512_setzero_si512());
  _mm_storeu_si128(static_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(value));
}
// The same of four, one behind the other; `zeros` are int16.
inline void store_four(void* to, Sums a, Sums b, Sums c, Sums d, Sums zeros) {
  const Sums ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zeros),
             cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zeros);
  const Sums order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(to, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(ab, cd)));
}
inline Sums splat_pair(int16_t value) { return _mm512_set1_epi16(value); }
inline Floats load_floats(const float* from) { return _mm512_loadu_ps(from); }
inline Floats splat_float(float value) { return _mm512_set1_ps(value); }
inline Floats to_floats(Sums value) { return _mm512_cvtepi32_ps(value); }
// Nearest whole numbers, ties to even; what is below all of them gives the lowest.
inline Sums to_whole(Floats value) { return _mm512_cvtps_epi32(value); }
inline Floats times(Floats a, Floats b) {
  Floats product = _mm512_mul_ps(a, b);
  asm("" : "+v"(product));  // rounded by itself, never fused with an addition
  return product;
}
inline Floats plus(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats smaller(Floats a, Floats b) { return _mm512_min_ps(a, b); }
inline Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }
// Nearest whole numbers, ties to even.
inline Floats round(Floats value) { return _mm512_roundscale_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
#else
using Floats = __m256;
inline Sums add(Sums a, Sums b) { return _mm256_add_epi32(a, b); }
inline Sums dot_pairs(Sums sums, Sums a, Sums b) { return _mm256_add_epi32(sums, _mm256_madd_epi16(a, b)); }
inline Sums load_bytes(const void* from) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(from)));
}
inline void store_bytes(void* to, Sums value, Sums zero) {
  value = _mm256_add_epi32(value, zero);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
  _mm_storel_epi64(static_cast<__m128i*>(to), _mm_packus_epi16(words, words));
}
inline void store_four(void* to, Sums a, Sums b, Sums c, Sums d, Sums zeros) {
  const Sums ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zeros),
             cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zeros);
  const Sums order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256(static_cast<__m256i*>(to), _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order));
}
inline Sums splat_pair(int16_t value) { return _mm256_set1_epi16(value); }
inline Floats load_floats(const float* from) { return _mm256_loadu_ps(from); }
inline Floats splat_float(float value) { return _mm256_set1_ps(value); }
inline Floats to_floats(Sums value) { return _mm256_cvtepi32_ps(value); }
inline Sums to_whole(Floats value) { return _mm256_cvtps_epi32(value); }
inline Floats times(Floats a, Floats b) {
  Floats product = _mm256_mul_ps(a, b);
  asm("" : "+x"(product));
  return product;
}
inline Floats plus(Floats a, Floats b) { return _mm256_add_ps(a, b); }
inline Floats smaller(Floats a, Floats b) { return _mm256_min_ps(a, b); }
inline Floats larger(Floats a, Floats b) { return _mm256_max_ps(a, b); }
inline Floats round(Floats value) { return _mm256_round_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
#endif

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE::integer
