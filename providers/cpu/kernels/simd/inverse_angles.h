// asin, acos and atan of float32 as straight-line code that compilers vectorise, in the manner of float_math.h.
#pragma once

#include "cpu/kernels/simd/float_math.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

// Pi / 2 in two parts.
constexpr float kHalfPi = 0x1.921fb6p+0f, kHalfPiRest = -0x1.777a5cp-25f;

// What asin and acos share: asin(t) = t + rest for t = |x| up to 1/2, and for t = sqrt((1 - |x|) / 2) beyond, of which 2 asin(t) = acos(|x|).
struct ReducedAsin {
  bool large;
  float t, rest;
};
inline ReducedAsin reduce_asin(float x) {
  const float a = fabs(x);
  const bool large = a > 0.5f;
  const float square = large ? (1.0f - a) * 0.5f : a * a;
  const float t = large ? __builtin_sqrtf(square) : a;
  const float p = polynomial(square, 0x1.55555ep-3f, 0x1.332636p-4f, 0x1.70ce58p-5f, 0x1.b113eep-6f, 0x1.39fe24p-5f);
  return {large, t, t * square * p};
}

inline float asin(float x) {
  const auto [large, t, rest] = reduce_asin(x);
  const float beyond = kHalfPi - (2.0f * t + (2.0f * rest - kHalfPiRest));
  return copysign(large ? beyond : t + rest, x);
}

inline float acos(float x) {
  const auto [large, t, rest] = reduce_asin(x);
  const float inner = 2.0f * t + 2.0f * rest;
  const float beyond = x < 0.0f ? 2.0f * kHalfPi - (inner - 2.0f * kHalfPiRest) : inner;
  const float within = kHalfPi - (copysign(t, x) + (copysign(rest, x) - kHalfPiRest));
  return large ? beyond : within;
}

// By the angle to the nearest of 0, pi / 4 and pi / 2.
inline float atan(float x) {
  const float a = fabs(x);
  const bool steep = a > 2.41421356f, middle = a > 0.414213562f;
  const float t = (steep ? -1.0f : middle ? a - 1.0f : a) / (steep ? a : middle ? a + 1.0f : 1.0f);
  const float z = t * t;
  const float p = polynomial(z, -0x1.555554p-2f, 0x1.99974ap-3f, -0x1.242312p-3f, 0x1.b84546p-4f, -0x1.08df74p-4f);
  const float base = steep ? kHalfPi : middle ? 0.5f * kHalfPi : 0.0f;
  const float base_rest = steep ? kHalfPiRest : middle ? 0.5f * kHalfPiRest : 0.0f;
  return copysign(base + ((t * z * p + base_rest) + t), x);
}

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
