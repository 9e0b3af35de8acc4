// A register's worth of int32 sums at the level that is compiled, and the 8-bit dot product that feeds it.
#pragma once

#include <cstdint>
#include <cstring>

#include "intrinsics.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE::integer {

// Sums: a vector of int32. dot(sums, a, b) adds to each the product of four unsigned bytes of a with four signed ones of b, exactly; dot_parts(sums, a, b)
// does so faster where kParts, if b is a part of weights as cpu/loops/weight_parts.h makes them.
#if ONNXRUN_SIMD_LEVEL == 3 || (ONNXRUN_SIMD_LEVEL == 4 && !defined(__AVX512VNNI__))
inline constexpr bool kParts = true;
#else
inline constexpr bool kParts = false;
#endif
#if ONNXRUN_SIMD_LEVEL >= 4
using Sums = __m512i;
inline Sums zero() { return _mm512_setzero_si512(); }
inline Sums load(const void* from) { return _mm512_loadu_si512(from); }
inline void store(void* to, Sums value) { _mm512_storeu_si512(to, value); }
inline Sums splat(int32_t value) { return _mm512_set1_epi32(value); }
#if defined(__AVX512VNNI__)
// As the intrinsic, around which g++ 12 moves whole tiles of sums from register to register.
inline Sums dot(Sums sums, Sums a, Sums b) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
  return sums;
}
#else
inline Sums dot(Sums sums, Sums a, Sums b) {
  const Sums even =
      _mm512_madd_epi16(_mm512_and_si512(a, _mm512_set1_epi16(0xff)), _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8));
  const Sums odd = _mm512_madd_epi16(_mm512_srli_epi16(a, 8), _mm512_srai_epi16(b, 8));
  return _mm512_add_epi32(sums, _mm512_add_epi32(even, odd));
}
inline Sums dot_parts(Sums sums, Sums a, Sums b) {
  return _mm512_add_epi32(sums, _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), _mm512_set1_epi16(1)));
}
#endif
#elif ONNXRUN_SIMD_LEVEL == 3
using Sums = __m256i;
inline Sums zero() { return _mm256_setzero_si256(); }
inline Sums load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
inline void store(void* to, Sums value) { _mm256_storeu_si256(static_cast<__m256i*>(to), value); }
inline Sums splat(int32_t value) { return _mm256_set1_epi32(value); }
inline Sums dot(Sums sums, Sums a, Sums b) {
  const Sums even =
      _mm256_madd_epi16(_mm256_and_si256(a, _mm256_set1_epi16(0xff)), _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8));
  const Sums odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), _mm256_srai_epi16(b, 8));
  return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
}
alignas(32) inline constexpr int16_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
// As one piece, or compilers add two products before they add them to the sums and keep those in memory. The ones are in memory: beside twelve sums no register
// is left for them.
inline Sums dot_parts(Sums sums, Sums a, Sums b) {
  Sums pairs;
  asm("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
      : "+x"(sums), "=&x"(pairs)
      : "x"(a), "x"(b), "m"(kOnes));
  return sums;
}
#elif ONNXRUN_SIMD_LEVEL == 2
using Sums = __m128i;
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
inline constexpr int64_t kLanes = sizeof(Sums) / 4;
#if ONNXRUN_SIMD_LEVEL < 3 || (ONNXRUN_SIMD_LEVEL >= 4 && defined(__AVX512VNNI__))
inline Sums dot_parts(Sums sums, Sums a, Sums b) { return dot(sums, a, b); }
#endif

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE::integer
