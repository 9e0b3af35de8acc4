// Storage types of the narrow floating-point formats, and their correctly rounded conversions.
#pragma once

#include <bit>
#include <cstdint>

#include "base/dtype.h"

namespace onnxrun::base {

// IEEE 754 binary16. Conversion rounds to nearest even; overflow gives infinity; NaN stays NaN.
struct Float16 {
  uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float value);
  explicit Float16(double value);  // rounded once
  operator float() const;
};

// The upper half of a binary32. Conversion rounds to nearest even; NaN stays NaN.
struct Bfloat16 {
  uint16_t bits = 0;
  Bfloat16() = default;
  explicit Bfloat16(float value) {
    const uint32_t word = std::bit_cast<uint32_t>(value);
    bits = (word & 0x7fffffffu) > 0x7f800000u ? static_cast<uint16_t>((word >> 16) | 0x40u)
                                              : static_cast<uint16_t>((word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
  }
  explicit Bfloat16(double value);  // rounded once
  operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

// `value` as float, with the last bit set when that lost anything. Rounding the result to nearest in a format at least two bits
// narrower than float equals rounding `value` itself once: the way from double to every type below. Finite values stay finite.
float round_to_odd(double value);

// How a conversion to a format narrower than 16 bits treats values beyond its range (ONNX Cast, `saturate`).
enum class Saturate { kNo, kYes };

// How float8e8m0 rounds (ONNX Cast, `round_mode`).
enum class RoundMode { kUp, kDown, kNearest };

// Encodes `value` in the float8, float6 or float4 format `dtype`, rounding to nearest even; the low bits of the result hold
// the code. Out of range and not finite values follow the tables of ONNX's Cast.
uint8_t encode_minifloat(DType dtype, float value, Saturate saturate = Saturate::kYes, RoundMode mode = RoundMode::kUp);

// The float value of `code` in the float8, float6 or float4 format `dtype`. Exact.
float decode_minifloat(DType dtype, uint8_t code);

// Many at once: `count` elements from one contiguous array to another.
void convert(const Float16* from, float* to, int64_t count);
void convert(const float* from, Float16* to, int64_t count);
void convert(const Bfloat16* from, float* to, int64_t count);
void convert(const float* from, Bfloat16* to, int64_t count);

}  // namespace onnxrun::base
