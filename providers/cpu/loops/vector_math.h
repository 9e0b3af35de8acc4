// Branch-free float32 exp, tanh and sigmoid that compilers vectorise inside a loop; NaN gives NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace onnxrun::cpu {

// e^x to about 1 unit in the last place, with gradual underflow; overflow gives infinity, -infinity gives 0.
inline float fast_exp(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -105.0f ? -105.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const float shifted = x * 1.44269504088896341f + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375f) + n * 2.12194440054690583e-4f;
  float q = 0.001395072579f;
  q = q * r + 0.008369024869f;
  q = q * r + 0.041666202287f;
  q = q * r + 0.166665177114f;
  q = q * r + 0.500000009628f;
  const float p = (q * (r * r) + r) + 1.0f;
  // 2^n in two factors, so that results near the ends of the range do not pass through a factor beyond it.
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound);
  const int32_t half = exponent >> 1;
  const float a = std::bit_cast<float>(static_cast<int32_t>((static_cast<uint32_t>(half) + 127u) << 23));
  const float b = std::bit_cast<float>(static_cast<int32_t>((static_cast<uint32_t>(exponent - half) + 127u) << 23));
  return p * a * b;
}

// 1 / (1 + e^-x).
inline float fast_sigmoid(float x) { return 1.0f / (1.0f + fast_exp(-x)); }

// tanh(x) to about 3 units in the last place.
inline float fast_tanh(float x) {
  const float z = x * x;
  float q = -0.005660788607f;
  q = q * z + 0.020602007314f;
  q = q * z - 0.053729229893f;
  q = q * z + 0.133313289586f;
  q = q * z - 0.333332783153f;
  const float small = x + x * z * q;
  const float large = 1.0f - 2.0f / (fast_exp(2.0f * x) + 1.0f);
  return z < 0.4f ? small : large;
}

}  // namespace onnxrun::cpu
