// Conversions of the narrow floating-point formats, done on integers so that no mode of the FPU changes them.
#include "base/floats.h"

#include <cstddef>

#include "base/error.h"

namespace onnxrun::base {
namespace {

// `yes` where `condition`, else `no`, without a branch that would keep a loop from being vectorised.
inline uint32_t select(bool condition, uint32_t yes, uint32_t no) {
  const uint32_t mask = 0u - static_cast<uint32_t>(condition);
  return (yes & mask) | (no & ~mask);
}

// Rounds to nearest even. The one float addition makes a subnormal half of a normal float, so flushing modes do not matter.
inline uint16_t half_from_float(float value) {
  const uint32_t word = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = word & 0x7fffffffu;
  const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  const uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  uint32_t result = select(magnitude < 0x38800000u, subnormal, normal);
  result = select(magnitude >= 0x47800000u, 0x7c00u, result);
  result = select(magnitude > 0x7f800000u, nan, result);
  return static_cast<uint16_t>(result | ((word >> 16) & 0x8000u));
}

inline float float_from_half(uint16_t half) {
  const uint32_t magnitude = (half & 0x7fffu) << 13;
  const uint32_t normal = magnitude + 0x38000000u;
  // 2^-14 with the subnormal's fraction below it, less 2^-14.
  const uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude + 0x38800000u) - 0x1p-14f);
  const uint32_t special = (magnitude + 0x70000000u) | select(magnitude > 0x0f800000u, 0x400000u, 0u);
  uint32_t result = select(magnitude < 0x00800000u, subnormal, normal);
  result = select(magnitude >= 0x0f800000u, special, result);
  return std::bit_cast<float>(result | ((half & 0x8000u) << 16));
}

}  // namespace

float round_to_odd(double value) {
  const uint64_t word = std::bit_cast<uint64_t>(value);
  const auto sign = static_cast<uint32_t>(word >> 63) << 31;
  const auto biased = static_cast<int>((word >> 52) & 0x7ff);
  const uint64_t fraction = word & 0xfffffffffffffull;
  const auto narrow = [](uint64_t significand, int shift) {
    const bool lost = (significand & ((uint64_t{1} << shift) - 1)) != 0;
    return static_cast<uint32_t>(significand >> shift) | (lost ? 1u : 0u);
  };
  uint32_t result;
  if (biased == 0x7ff) {
    result = 0x7f800000u | (fraction == 0 ? 0u : 0x400000u | static_cast<uint32_t>(fraction >> 29));
  } else if (biased > 1023 + 127) {
    result = 0x7f7fffffu;
  } else if (biased >= 1023 - 126) {
    result = (static_cast<uint32_t>(biased - 1023 + 127) << 23) | narrow(fraction, 29);
  } else if (biased > 1023 - 126 - 24) {
    result = narrow(fraction | (uint64_t{1} << 52), 29 + (1023 - 126 - biased));
  } else {
    result = biased != 0 || fraction != 0 ? 1u : 0u;
  }
  return std::bit_cast<float>(result | sign);
}

Float16::Float16(float value) : bits(half_from_float(value)) {}

Float16::Float16(double value) : bits(half_from_float(round_to_odd(value))) {}

Float16::operator float() const { return float_from_half(bits); }

Bfloat16::Bfloat16(double value) : Bfloat16(round_to_odd(value)) {}

void convert(const Float16* from, float* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = float_from_half(from[i].bits);
}

void convert(const float* from, Float16* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i].bits = half_from_float(from[i]);
}

void convert(const Bfloat16* from, float* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i];
}

void convert(const float* from, Bfloat16* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = Bfloat16(from[i]);
}

}  // namespace onnxrun::base
