// The first lanes of a register of float32, where a row ends within it.
#pragma once

#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {

#if ONNXRUN_SIMD_LEVEL >= 4
inline __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
#elif ONNXRUN_SIMD_LEVEL == 3
inline __m256i first_lanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

// The first n <= kWidth elements, the others those of `rest`. Nothing behind them is read.
inline Vector load_some(const float* from, int64_t n, Vector rest) {
#if ONNXRUN_SIMD_LEVEL >= 4
  return (Vector)_mm512_mask_loadu_ps((__m512)rest, first_lanes(n), from);
#elif ONNXRUN_SIMD_LEVEL == 3
  const __m256i lanes = first_lanes(n);
  return (Vector)_mm256_blendv_ps((__m256)rest, _mm256_maskload_ps(from, lanes), (__m256)lanes);
#else
  return load_part(from, n, rest[0]);
#endif
}
inline Vector load_some(const float* from, int64_t n, float rest) { return load_some(from, n, splat(rest)); }

// The first n <= kWidth lanes to memory.
inline void store_some(float* to, Vector value, int64_t n) {
#if ONNXRUN_SIMD_LEVEL >= 4
  _mm512_mask_storeu_ps(to, first_lanes(n), (__m512)value);
#elif ONNXRUN_SIMD_LEVEL == 3
  _mm256_maskstore_ps(to, first_lanes(n), (__m256)value);
#else
  store_part(to, value, n);
#endif
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
