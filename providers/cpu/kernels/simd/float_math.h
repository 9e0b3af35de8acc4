// Elementary functions of float32 as straight-line code that compilers vectorise. Polynomials are minimax fits (Remez)
// in the reduced range; no branch depends on data, so a loop over any of them becomes one vector body.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace onnxrun::cpu::simd {
namespace ONNXRUN_SIMD_NAMESPACE {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

inline float fma(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

inline float as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t as_bits(float x) { return std::bit_cast<uint32_t>(x); }

// c[0] + c[1] x + c[2] x² + ...
inline float polynomial(float, float c0) { return c0; }
template <class... C>
inline float polynomial(float x, float c0, C... c) {
  return fma(polynomial(x, c...), x, c0);
}

// x = n ln 2 + r with |r| <= ln 2 / 2, for |x| up to a few hundred.
struct ReducedExp {
  uint32_t biased;  // n + 127 in its low bits
  float minus_one;  // e^r - 1

  uint32_t n() const;  // two's complement
};
// Adding this leaves a rounded integer plus 127 in the low bits.
constexpr float kRoundingMagic = 12582912.0f + 127.0f;  // 1.5 * 2^23 + 127
inline uint32_t ReducedExp::n() const { return biased - as_bits(kRoundingMagic); }

// Where `rest` belongs to x, as its rounding error, say.
template <class... Rest>
inline ReducedExp reduce_exp(float x, Rest... rest) {
  const float shifted = fma(x, 1.44269504088896341f, kRoundingMagic);
  const float n = shifted - kRoundingMagic;
  const float r = (fma(n, -1.42860677e-06f, fma(n, -0.693145751953125f, x)) + ... + rest);
  const float p =
      polynomial(r, 0x1p-1f, 0x1.555556p-3f, 0x1.5554a0p-5f, 0x1.111084p-7f, 0x1.6d8298p-10f, 0x1.a1b120p-13f);
  return {as_bits(shifted), fma(r * r, p, r)};
}

// 2^n for n in [-126, 127], in two's complement, and for -127 0.
inline float power_of_two(uint32_t n) { return as_float((n + 127u) << 23); }
inline float power_of_two(ReducedExp e) { return as_float(e.biased << 23); }

inline float exp(float x) {
  const float low = x < -104.0f ? -104.0f : x;
  const ReducedExp e = reduce_exp(low > 89.0f ? 89.0f : low);
  // In two steps, as n goes from -150 to 128.
  const uint32_t half = static_cast<uint32_t>(static_cast<int32_t>(e.n()) >> 1);
  return (1.0f + e.minus_one) * power_of_two(half) * power_of_two(e.n() - half);
}

// e^(x + rest) for x from -88.3 to 0; below -87.7 it is 0. `rest` as in reduce_exp.
template <class... Rest>
inline float exp_negative_bounded(float x, Rest... rest) {
  const ReducedExp e = reduce_exp(x, rest...);
  const float scale = power_of_two(e);
  return fma(e.minus_one, scale, scale);
}
// The same of any x <= 0.
inline float exp_negative(float x) { return exp_negative_bounded(x < -88.1f ? -88.1f : x); }

// e^x - 1 for x <= 0.
inline float expm1_negative(float x) {
  const ReducedExp e = reduce_exp(x < -20.0f ? -20.0f : x);
  const float s = power_of_two(e);
  return fma(e.minus_one, s, s - 1.0f);
}

// ln x for positive normal x.
inline float log_normal(float x, float exponent_bias) {
  const uint32_t bits = as_bits(x);
  // The exponent that leaves a significand in [sqrt(1/2), sqrt(2)).
  const int32_t exponent = static_cast<int32_t>(bits - 0x3f3504f3u) >> 23;
  const float f = as_float(bits - (static_cast<uint32_t>(exponent) << 23)) - 1.0f;
  const float n = static_cast<float>(exponent) + exponent_bias;
  const float p = polynomial(f, 0x1.555546p-2f, -0x1.ffffeep-3f, 0x1.99a57ep-3f, -0x1.5562d6p-3f, 0x1.232dc2p-3f,
                             -0x1.fb3f30p-4f, 0x1.e69d2cp-4f, -0x1.e32234p-4f, 0x1.1ad004p-4f);
  const float square = f * f;
  const float small = fma(n, 1.42860677e-06f, fma(square * f, p, -0.5f * square));
  return fma(n, 0.693145751953125f, f + small);
}

inline float log(float x) {
  const bool subnormal = x < std::numeric_limits<float>::min();
  const float y = log_normal(subnormal ? x * 8388608.0f : x, subnormal ? -23.0f : 0.0f);
  const float finite = x < kInfinity ? y : x;  // infinity and NaN give themselves
  const float positive = x < 0.0f ? std::numeric_limits<float>::quiet_NaN() : finite;
  return x == 0.0f ? -kInfinity : positive;
}

// ln(1 + x) for x in [0, 1].
inline float log1p_unit(float x) {
  const float y = 1.0f + x;
  return log_normal(y, 0.0f) + (x - (y - 1.0f)) / y;
}

inline float copysign(float magnitude, float sign) {
  return as_float((as_bits(magnitude) & 0x7fffffffu) | (as_bits(sign) & 0x80000000u));
}
inline float fabs(float x) { return as_float(as_bits(x) & 0x7fffffffu); }

inline float sigmoid(float x) {
  const float e = exp_negative(-fabs(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

inline float tanh(float x) {
  const float a = fabs(x);
  const float z = x * x;
  const float p =
      polynomial(z, -0x1.555554p-2f, 0x1.111058p-3f, -0x1.b9eba8p-5f, 0x1.63695ep-6f, -0x1.0b43c2p-7f, 0x1.163b42p-9f);
  const float small = fma(x * z, p, x);
  const float e = exp_negative(-2.0f * a);
  const float large = copysign((1.0f - e) / (1.0f + e), x);
  return a < 0.625f ? small : large;
}

inline float softplus(float x) { return (x < 0.0f ? 0.0f : x) + log1p_unit(exp_negative(-fabs(x))); }

// erf(x) for |x| <= 1.
inline float erf_small(float x) {
  const float p = polynomial(x * x, 0.12837916709f, -0x1.812746p-2f, 0x1.ce2f08p-4f, -0x1.b829b4p-6f, 0x1.562950p-8f,
                             -0x1.bcc100p-11f, 0x1.d828d0p-14f, -0x1.436f08p-17f);
  return fma(x, p, x);
}

// a² = high + low without an error, or one far below that of low.
struct Square {
  float high, low;
};
inline Square square(float a) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  const float high = a * a;
  return {high, fma(a, a, -high)};
#else
  const float high = as_float(as_bits(a) & 0xfffff000u);
  return {high * high, (a - high) * (a + high)};
#endif
}

// e^(-factor a²) for factor 1 or 1/2 and a with factor a² <= 88.3, with the relative accuracy of e^x also where a is large.
inline float exp_minus_square(float a, float factor) {
  const Square s = square(a);
  return exp_negative_bounded(-factor * s.high, -factor * s.low);
}

// erfc(a) e^(a²) for a from 0.49 to 10.2.
inline float erfcx(float a) {
  const float t = 1.0f / fma(a, 0.5f, 1.0f);
  return polynomial(t, 0x1.f09c2ap-19f, 0x1.20bf7cp-2f, 0x1.227210p-2f, 0x1.e100b2p-3f, 0x1.e1b778p-3f, -0x1.b86194p-4f,
                    0x1.9f0feep-2f, -0x1.384532p-1f, 0x1.670ffcp-2f, -0x1.303704p-4f);
}

inline float erf(float x) {
  const float a = fabs(x);
  const float bounded = a > 4.0f ? 4.0f : a;
  const float large = copysign(1.0f - erfcx(bounded) * exp_minus_square(bounded, 1.0f), x);
  return a < 1.0f ? erf_small(x) : a == a ? large : x;
}

// x Φ(x) = max(x, 0) - |x| Φ(-|x|).
inline float gelu(float x) {
  const float a = fabs(x);
  // From there on the tail is below the normal range, and e^(-a²/2) comes out as 0.
  const float bounded = a > 13.27f ? 13.27f : a;
  // Φ(-a) e^(a²/2).
  const float t = 1.0f / fma(bounded, 0.33f, 1.0f);
  const float p = polynomial(t, 0x1.c7538ep-18f, 0x1.0d3f96p-3f, 0x1.11f59cp-3f, 0x1.a6f4e4p-4f, 0x1.2dac92p-3f,
                             -0x1.c0b852p-4f, 0x1.2e336ep-2f, -0x1.4cdf82p-2f, 0x1.32cc4ap-3f, -0x1.abbdecp-6f);
  // The first factor is not tiny where the second may be.
  const float tail = bounded * p * exp_minus_square(bounded, 0.5f);
  return (x < 0.0f ? 0.0f : x) - tail;
}

// x σ(u), its small results scaled in two steps so that they are lost only when they are subnormal themselves.
inline float times_sigmoid(float x, float u) {
  const float a = fabs(u);
  const ReducedExp e = reduce_exp(a > 125.0f ? -125.0f : -a);
  const uint32_t half = static_cast<uint32_t>(static_cast<int32_t>(e.n()) >> 1);
  const float first = (1.0f + e.minus_one) * power_of_two(half), second = power_of_two(e.n() - half);
  const float y = (u < 0.0f ? x * first * second : x) / fma(first, second, 1.0f);
  return u < -125.0f ? copysign(0.0f, x) : y;
}

// x tanh(softplus(x)) = x n / (n + 2) with n = e^x (e^x + 2).
inline float mish(float x) {
  const float low = x < -125.0f ? -125.0f : x;
  const ReducedExp e = reduce_exp(low > 20.0f ? 20.0f : low);
  const uint32_t half = static_cast<uint32_t>(static_cast<int32_t>(e.n()) >> 1);
  const float first = (1.0f + e.minus_one) * power_of_two(half), second = power_of_two(e.n() - half);
  const float over = fma(first, second, 2.0f);          // e^x + 2
  const float below = fma(over, first * second, 2.0f);  // n + 2
  const float y = x * (over / below) * first * second;
  const float bounded = x > 20.0f ? x : y;
  return x < -125.0f ? -0.0f : bounded;
}

inline float swish(float x, float alpha) { return times_sigmoid(x, alpha * x); }

// 0.5 (1 + tanh(u)) = σ(2u).
inline float gelu_tanh(float x) { return times_sigmoid(x, 1.59576912160573071176f * fma(0.044715f * x * x, x, x)); }

// sin and cos for |x| up to kMaxAngle: the reduction is done in double.
constexpr float kMaxAngle = 1e6f;
struct Angle {
  uint32_t quadrant;
  float r;  // in [-π/4, π/4]
};
inline Angle reduce_angle(float x) {
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
  const double shifted = x * 0.63661977236758134308 + kMagic;
  const double n = shifted - kMagic;
  // π/2 in two parts, the first short enough that its multiples are exact.
  const double r = (x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34;
  return {static_cast<uint32_t>(std::bit_cast<uint64_t>(shifted)), static_cast<float>(r)};
}
inline float sine_of(Angle angle) {
  const float r = angle.r, z = r * r;
  const float sine = fma(r * z, polynomial(z, -0x1.555556p-3f, 0x1.111108p-7f, -0x1.a00f32p-13f, 0x1.6cbed0p-19f), r);
  const float cosine = fma(z * z, polynomial(z, 0x1.555556p-5f, -0x1.6c16b8p-10f, 0x1.a010c6p-16f, -0x1.241804p-22f),
                           fma(z, -0.5f, 1.0f));
  const float y = (angle.quadrant & 1u) != 0 ? cosine : sine;
  return as_float(as_bits(y) ^ ((angle.quadrant & 2u) << 30));
}
inline float sin(float x) { return sine_of(reduce_angle(x)); }
inline float cos(float x) {
  Angle angle = reduce_angle(x);
  ++angle.quadrant;
  return sine_of(angle);
}

}  // namespace
}  // namespace ONNXRUN_SIMD_NAMESPACE
}  // namespace onnxrun::cpu::simd
