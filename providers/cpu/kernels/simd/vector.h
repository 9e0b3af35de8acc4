// A register's worth of float32 at the level that is compiled.
#pragma once

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

// Floats in memory, aligned as floats are. Of a memcpy compilers make an integer's load, from which some processors (Zen 3) take a cycle more to a product.
typedef float FloatsInMemory __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const FloatsInMemory*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<FloatsInMemory*>(to) = value; }
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
inline Vector larger(Vector a, Vector b) { return ((a > b) | (a != a)) ? a : b; }

// f over the lanes in pairs of halves, quarters and so on; it takes vectors of any width.
template <class F>
inline float fold_lanes(Vector value, F&& f) {
#if ONNXRUN_SIMD_LEVEL >= 4
  const auto eight = f(__builtin_shufflevector(value, value, 0, 1, 2, 3, 4, 5, 6, 7),
                       __builtin_shufflevector(value, value, 8, 9, 10, 11, 12, 13, 14, 15));
#elif ONNXRUN_SIMD_LEVEL == 3
  const Vector eight = value;
#endif
#if ONNXRUN_SIMD_LEVEL >= 3
  const auto four =
      f(__builtin_shufflevector(eight, eight, 0, 1, 2, 3), __builtin_shufflevector(eight, eight, 4, 5, 6, 7));
#else
  const Vector four = value;
#endif
  const auto two = f(four, __builtin_shufflevector(four, four, 2, 3, 0, 1));
  return f(two, __builtin_shufflevector(two, two, 1, 0, 3, 2))[0];
}

inline float sum_of(Vector value) {
  return fold_lanes(value, [](auto a, auto b) { return a + b; });
}

inline float largest_of(Vector value) {
  return fold_lanes(value, [](auto a, auto b) { return ((a > b) | (a != a)) ? a : b; });
}

// f of each element; compilers make straight-line code of float_math.h one vector body of it.
template <class F>
inline Vector each_lane(Vector x, F&& f) {
  float lanes[kWidth];
  store(lanes, x);
  for (int64_t l = 0; l < kWidth; ++l) lanes[l] = f(lanes[l]);
  return load(lanes);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
