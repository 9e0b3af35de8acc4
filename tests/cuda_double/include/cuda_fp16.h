// CUDA's half precision type, as far as the provider uses it.
#pragma once

#include <cstdint>
#include <cstring>

struct __half_raw {
  unsigned short x;
};
struct __half {
  unsigned short bits;
  __half() = default;
  __half(const __half_raw& raw) : bits(raw.x) {}
  operator __half_raw() const { return {bits}; }
};

inline float __half2float(__half h) {
  const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16;
  uint32_t exponent = (h.bits >> 10) & 31u, fraction = h.bits & 1023u, word;
  if (exponent == 31) word = sign | 0x7f800000u | fraction << 13;
  else if (exponent != 0) word = sign | (exponent + 112) << 23 | fraction << 13;
  else {
    float value = static_cast<float>(fraction) * 0x1p-24f;
    std::memcpy(&word, &value, 4);
    word |= sign;
  }
  float result;
  std::memcpy(&result, &word, 4);
  return result;
}

// Rounds to nearest even.
inline __half __double2half(double value) {
  uint64_t word;
  std::memcpy(&word, &value, 8);
  const unsigned short sign = static_cast<unsigned short>(word >> 48 & 0x8000u);
  const double magnitude = sign ? -value : value;
  unsigned short bits;
  if (magnitude != magnitude) bits = 0x7fff;
  else if (magnitude >= 65520.0) bits = 0x7c00;
  else if (magnitude < 0x1p-14)
    bits = static_cast<unsigned short>(static_cast<uint32_t>(__builtin_rint(magnitude * 0x1p24)));
  else {
    int exponent;
    const double fraction = __builtin_frexp(magnitude, &exponent);                 // in [0.5, 1)
    const auto scaled = static_cast<uint32_t>(__builtin_rint(fraction * 2048.0));  // 1024 to 2048
    bits = static_cast<unsigned short>((static_cast<uint32_t>(exponent + 13) << 10) + scaled);
  }
  return __half_raw{static_cast<unsigned short>(magnitude != magnitude ? bits : bits | sign)};
}
inline __half __float2half_rn(float value) { return __double2half(static_cast<double>(value)); }
