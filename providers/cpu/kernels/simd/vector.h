// A register's worth of float32 at the level that is compiled, with fused multiply-add and exp.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if ONNXRUN_SIMD_LEVEL >= 3
#include <immintrin.h>
#endif

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {

#if ONNXRUN_SIMD_LEVEL >= 4
inline constexpr int kVectorBytes = 64;
#elif ONNXRUN_SIMD_LEVEL == 3
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif
inline constexpr int64_t kWidth = kVectorBytes / 4;

typedef float Vector __attribute__((vector_size(kVectorBytes)));
typedef int32_t IntVector __attribute__((vector_size(kVectorBytes)));

inline Vector load(const float* from) {
  Vector result;
  std::memcpy(&result, from, sizeof result);
  return result;
}
inline void store(float* to, Vector value) { std::memcpy(to, &value, sizeof value); }
inline Vector splat(float value) {
#if ONNXRUN_SIMD_LEVEL >= 4
  return (Vector)_mm512_set1_ps(value);
#elif ONNXRUN_SIMD_LEVEL == 3
  return (Vector)_mm256_set1_ps(value);
#else
  return Vector{value, value, value, value};
#endif
}

// The first n < kWidth elements, the others `rest`.
inline Vector load_part(const float* from, int64_t n, float rest) {
  float buffer[kWidth];
  for (int64_t i = 0; i < kWidth; ++i) buffer[i] = rest;
  std::memcpy(buffer, from, static_cast<size_t>(n) * sizeof(float));
  return load(buffer);
}
inline void store_part(float* to, Vector value, int64_t n) {
  float buffer[kWidth];
  store(buffer, value);
  std::memcpy(to, buffer, static_cast<size_t>(n) * sizeof(float));
}

// a * b + c, rounded once where the level can.
inline Vector madd(Vector a, Vector b, Vector c) {
#if ONNXRUN_SIMD_LEVEL >= 4
  return (Vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif ONNXRUN_SIMD_LEVEL == 3
  return (Vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

// The larger; NaN when either is.
inline Vector larger(Vector a, Vector b) { return (a > b) | (a != a) ? a : b; }

inline float sum_of(Vector value) {
  float lanes[kWidth];
  store(lanes, value);
  for (int64_t width = kWidth / 2; width > 0; width /= 2)
    for (int64_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  return lanes[0];
}

inline float largest_of(Vector value) {
  float lanes[kWidth];
  store(lanes, value);
  for (int64_t l = 1; l < kWidth; ++l) lanes[0] = (lanes[0] > lanes[l]) | (lanes[0] != lanes[0]) ? lanes[0] : lanes[l];
  return lanes[0];
}

// e^x to about 1 unit in the last place, with gradual underflow; overflow gives infinity, -infinity gives 0, NaN NaN.
inline Vector exp_of(Vector x) {
  const Vector high = splat(89.0f), low = splat(-105.0f);
  x = x > high ? high : x;
  x = x < low ? low : x;
  const Vector round = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const Vector shifted = madd(x, splat(1.44269504088896341f), round);
  const Vector n = shifted - round;
  const Vector r = madd(n, splat(2.12194440054690583e-4f), madd(n, splat(-0.693359375f), x));
  Vector q = splat(0.001395072579f);
  q = madd(q, r, splat(0.008369024869f));
  q = madd(q, r, splat(0.041666202287f));
  q = madd(q, r, splat(0.166665177114f));
  q = madd(q, r, splat(0.500000009628f));
  const Vector p = madd(q, r * r, r) + 1.0f;
  // 2^n in two factors, so that results near the ends of the range do not pass through a factor beyond it.
  const IntVector exponent = (IntVector)shifted - (IntVector)round;
  const IntVector half = exponent >> 1;
  return p * (Vector)((half + 127) << 23) * (Vector)((exponent - half + 127) << 23);
}

inline Vector sigmoid_of(Vector x) { return 1.0f / (1.0f + exp_of(-x)); }

// tanh(x) to about 3 units in the last place.
inline Vector tanh_of(Vector x) {
  const Vector z = x * x;
  Vector q = splat(-0.005660788607f);
  q = madd(q, z, splat(0.020602007314f));
  q = madd(q, z, splat(-0.053729229893f));
  q = madd(q, z, splat(0.133313289586f));
  q = madd(q, z, splat(-0.333332783153f));
  const Vector small = madd(x * z, q, x);
  const Vector large = 1.0f - 2.0f / (exp_of(x + x) + 1.0f);
  return z < 0.4f ? small : large;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
