// The formats of float8 in kernels: codes to values and back, by arithmetic on their bits.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "base/dtype.h"

namespace onnxrun::cuda {

// A sign bit, then an exponent, then `mantissa` bits. Numbers are codes without the sign.
struct Float8Format {
  unsigned mantissa, bias;
  unsigned top;       // the largest finite value
  unsigned infinity;  // what is out of range where it does not saturate
  unsigned nan;
  bool unsigned_zero;  // no negative zero, whose code is the only NaN

  // One by the smallest value above 0.
  constexpr float steps() const { return static_cast<float>(1u << (bias + mantissa - 1)); }
};

constexpr Float8Format float8_format(base::DType type) {
  switch (type) {
    case base::DType::kFloat8E4M3FN: return {3, 7, 0x7e, 0x7f, 0x7f, false};
    case base::DType::kFloat8E4M3FNUZ: return {3, 8, 0x7f, 0x80, 0x80, true};
    case base::DType::kFloat8E5M2: return {2, 15, 0x7b, 0x7c, 0x7e, false};
    default: return {2, 16, 0x7f, 0x80, 0x80, true};  // float8e5m2fnuz
  }
}

// An element of kType, a type of float8.
template <base::DType kType>
struct Float8 {
  static constexpr base::DType kDType = kType;
  uint8_t code;
};
template <class T>
constexpr bool kIsFloat8 = false;
template <base::DType kType>
constexpr bool kIsFloat8<Float8<kType>> = true;

// Calls f(std::type_identity<Float8<type>>{}); false where `type` is none.
template <class F>
bool with_float8(base::DType type, F&& f) {
  using base::DType;
  switch (type) {
    case DType::kFloat8E4M3FN: return f(std::type_identity<Float8<DType::kFloat8E4M3FN>>{}), true;
    case DType::kFloat8E4M3FNUZ: return f(std::type_identity<Float8<DType::kFloat8E4M3FNUZ>>{}), true;
    case DType::kFloat8E5M2: return f(std::type_identity<Float8<DType::kFloat8E5M2>>{}), true;
    case DType::kFloat8E5M2FNUZ: return f(std::type_identity<Float8<DType::kFloat8E5M2FNUZ>>{}), true;
    default: return false;
  }
}

template <base::DType kType>
__device__ inline float float8_value(Float8<kType> element) {
  constexpr Float8Format kFormat = float8_format(kType);
  constexpr unsigned kBias = (127 - kFormat.bias) << 23;
  const unsigned sign = (element.code & 0x80u) << 24, magnitude = element.code & 0x7fu;
  unsigned word = (magnitude << (23 - kFormat.mantissa)) + kBias;
  if (magnitude >> kFormat.mantissa == 0)
    word = static_cast<unsigned>(__float_as_int(static_cast<float>(magnitude) * (1.0f / kFormat.steps())));
  if constexpr (kFormat.unsigned_zero) {
    if (element.code == kFormat.nan) return __int_as_float(0x7fc00000);
  } else if (magnitude > kFormat.top) {
    word = kFormat.infinity != kFormat.nan && magnitude == kFormat.infinity ? 0x7f800000u : 0x7fc00000u;
  }
  return __int_as_float(static_cast<int>(sign | word));
}

// To nearest even.
template <base::DType kType>
__device__ inline Float8<kType> float8_of(float value, bool saturate) {
  constexpr Float8Format kFormat = float8_format(kType);
  constexpr unsigned kShift = 23 - kFormat.mantissa, kBias = (127 - kFormat.bias) << kFormat.mantissa;
  constexpr unsigned kSmallestNormal = (128 - kFormat.bias) << 23;
  const auto word = static_cast<unsigned>(__float_as_int(value));
  const unsigned sign = word >> 24 & 0x80u, magnitude = word & 0x7fffffffu;
  unsigned code = ((magnitude + (1u << (kShift - 1)) - 1 + (magnitude >> kShift & 1u)) >> kShift) - kBias;
  if (magnitude < kSmallestNormal) code = static_cast<unsigned>(rintf(fabsf(value) * kFormat.steps()));
  if (code > kFormat.top) code = saturate ? kFormat.top : kFormat.infinity;
  if (magnitude > 0x7f800000u) code = kFormat.nan;
  if (kFormat.unsigned_zero && code == 0) return {0};
  return {static_cast<uint8_t>(sign | code)};
}

}  // namespace onnxrun::cuda
