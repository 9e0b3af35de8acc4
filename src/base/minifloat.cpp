// The float8, float6 and float4 formats: one codec with parameters, and the exponent-only float8e8m0.
#include "base/floats.h"

#include <cstddef>

#include "base/error.h"

namespace onnxrun::base {
namespace {

// A sign bit, then an exponent, then `mantissa` bits. `top` is the largest finite magnitude code.
struct Format {
  int mantissa;
  int bias;
  uint8_t sign;
  uint8_t top;
  uint8_t infinity;  // magnitude code of what is out of range when it does not saturate
  uint8_t nan;       // magnitude code, or the whole code where `unsigned_zero`
  bool has_nan;
  bool unsigned_zero;  // "UZ": no negative zero, whose code is the only NaN
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat8E4M3FN: return {3, 7, 0x80, 0x7e, 0x7f, 0x7f, true, false};
    case DType::kFloat8E4M3FNUZ: return {3, 8, 0x80, 0x7f, 0x80, 0x80, true, true};
    case DType::kFloat8E5M2: return {2, 15, 0x80, 0x7b, 0x7c, 0x7e, true, false};
    case DType::kFloat8E5M2FNUZ: return {2, 16, 0x80, 0x7f, 0x80, 0x80, true, true};
    case DType::kFloat6E2M3: return {3, 1, 0x20, 0x1f, 0x1f, 0, false, false};
    case DType::kFloat6E3M2: return {2, 3, 0x20, 0x1f, 0x1f, 0, false, false};
    case DType::kFloat4E2M1: return {1, 1, 0x08, 0x07, 0x07, 0, false, false};
    default: fail(Code::kInternal, "{} is not a float8, float6 or float4 type", dtype_name(dtype));
  }
}

// The magnitude code nearest to the finite float with the bits `magnitude`, ties to even; may be beyond the format's top.
uint32_t round_magnitude(const Format& format, uint32_t magnitude) {
  const int biased = static_cast<int>(magnitude >> 23);
  if (biased == 0) return 0;
  const int exponent = biased - 127;
  const int lowest = 1 - format.bias;
  const uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  const int shift = 23 - format.mantissa + (exponent < lowest ? lowest - exponent : 0);
  if (shift > 24) return 0;
  const uint32_t rounded = (significand + (1u << (shift - 1)) - 1u + ((significand >> shift) & 1u)) >> shift;
  if (exponent < lowest) return rounded;
  // The leading one of `rounded` adds the last unit of the exponent.
  return (static_cast<uint32_t>(exponent - lowest) << format.mantissa) + rounded;
}

// A power of two from 2^-127 to 2^127; the sign of `value` is dropped, as the reference does. Zero and what rounds below the
// range become 2^-127 when saturating.
uint8_t encode_e8m0(float value, Saturate saturate, RoundMode mode) {
  constexpr uint8_t kTop = 0xfe;
  constexpr uint8_t kNan = 0xff;
  const uint32_t magnitude = std::bit_cast<uint32_t>(value) & 0x7fffffffu;
  const auto out_of_range = [&](uint8_t limit) { return saturate == Saturate::kYes ? limit : kNan; };
  if (magnitude > 0x7f800000u) return kNan;
  if (magnitude == 0x7f800000u) return out_of_range(kTop);
  if (magnitude == 0) return out_of_range(0);

  // value = significand * 2^(exponent - 22) with significand in [2^22, 2^23); subnormal floats are normalised.
  const int zeros = std::countl_zero(magnitude);
  const int exponent = magnitude >= 0x800000u ? static_cast<int>(magnitude >> 23) : 9 - zeros;
  const uint32_t fraction = magnitude >= 0x800000u ? magnitude & 0x7fffffu : (magnitude << (zeros - 8)) & 0x7fffffu;
  bool up = false;
  switch (mode) {
    case RoundMode::kUp: up = fraction != 0; break;
    case RoundMode::kDown: break;
    case RoundMode::kNearest: up = fraction >= 0x400000u; break;
  }
  const int code = exponent + (up ? 1 : 0);
  if (code < 0) return out_of_range(0);
  if (code > kTop) return out_of_range(kTop);
  return static_cast<uint8_t>(code);
}

float decode_e8m0(uint8_t code) {
  if (code == 0xff) return std::bit_cast<float>(0x7fc00000u);
  return std::bit_cast<float>(code == 0 ? 0x00400000u : static_cast<uint32_t>(code) << 23);
}

}  // namespace

uint8_t encode_minifloat(DType dtype, float value, Saturate saturate, RoundMode mode) {
  if (dtype == DType::kFloat8E8M0) return encode_e8m0(value, saturate, mode);
  const Format format = format_of(dtype);
  const uint32_t word = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = word & 0x7fffffffu;
  const bool negative = (word >> 31) != 0;
  if (magnitude > 0x7f800000u) {
    // Formats without NaN take a zero, with the sign that the reference implementation gives it.
    if (!format.has_nan) return negative ? 0 : format.sign;
    return static_cast<uint8_t>(format.nan | (negative ? format.sign : 0));
  }
  const uint32_t rounded = magnitude == 0x7f800000u ? UINT32_MAX : round_magnitude(format, magnitude);
  uint8_t code = static_cast<uint8_t>(rounded);
  if (rounded > format.top) code = saturate == Saturate::kYes ? format.top : format.infinity;
  if (format.unsigned_zero && code == 0) return 0;
  return static_cast<uint8_t>(code | (negative ? format.sign : 0));
}

float decode_minifloat(DType dtype, uint8_t code) {
  if (dtype == DType::kFloat8E8M0) return decode_e8m0(code);
  const Format format = format_of(dtype);
  const uint32_t sign = (code & format.sign) != 0 ? 0x80000000u : 0u;
  const uint32_t magnitude = code & (format.sign - 1u);
  if (format.unsigned_zero && magnitude == 0) return std::bit_cast<float>(sign != 0 ? 0x7fc00000u : 0u);
  if (!format.unsigned_zero && magnitude > format.top)
    return std::bit_cast<float>(
        sign | (dtype == DType::kFloat8E5M2 && magnitude == format.infinity ? 0x7f800000u : 0x7fc00000u));

  const uint32_t field = magnitude >> format.mantissa;
  uint32_t fraction = magnitude & ((1u << format.mantissa) - 1u);
  if (field == 0 && fraction == 0) return std::bit_cast<float>(sign);
  int exponent = static_cast<int>(field) - format.bias;
  if (field == 0) {
    // Normalise: move the leading one of the fraction to the implicit place.
    const int shift = format.mantissa + 1 - std::bit_width(fraction);
    fraction = (fraction << shift) & ((1u << format.mantissa) - 1u);
    exponent = 1 - format.bias - shift;
  }
  return std::bit_cast<float>(sign | (static_cast<uint32_t>(exponent + 127) << 23) |
                              (fraction << (23 - format.mantissa)));
}

}  // namespace onnxrun::base
