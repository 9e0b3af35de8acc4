// CUDA's bfloat16 type, as far as the provider uses it.
#pragma once

#include <cstdint>
#include <cstring>

struct __nv_bfloat16_raw {
  unsigned short x;
};
struct __nv_bfloat16 {
  unsigned short bits;
  __nv_bfloat16() = default;
  __nv_bfloat16(const __nv_bfloat16_raw& raw) : bits(raw.x) {}
};

inline float __bfloat162float(__nv_bfloat16 value) {
  const uint32_t word = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &word, 4);
  return result;
}
inline __nv_bfloat16 __float2bfloat16_rn(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  if ((word & 0x7fffffffu) > 0x7f800000u) return __nv_bfloat16_raw{0x7fff};
  return __nv_bfloat16_raw{static_cast<unsigned short>((word + 0x7fffu + ((word >> 16) & 1u)) >> 16)};
}
// Rounded once: what float cannot hold is kept in its last bit.
inline __nv_bfloat16 __double2bfloat16(double value) {
  float nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) != value && nearest == nearest && nearest - nearest == 0.0f) {
    uint32_t word;
    std::memcpy(&word, &nearest, 4);
    const bool above =
        (nearest < 0 ? -static_cast<double>(nearest) : static_cast<double>(nearest)) > (value < 0 ? -value : value);
    if (above) --word;
    word |= 1u;
    std::memcpy(&nearest, &word, 4);
  }
  return __float2bfloat16_rn(nearest);
}
