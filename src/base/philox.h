// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, 2011): random numbers by counter, so that element
// i of a stream is the same whoever computes it.
#pragma once

#include <array>
#include <cstdint>

namespace onnxrun::base {

using PhiloxWords = std::array<uint32_t, 4>;

// Block `index` of stream `stream`.
constexpr PhiloxWords philox(uint64_t key, uint64_t stream, uint64_t index) {
  PhiloxWords c = {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(stream),
                   static_cast<uint32_t>(stream >> 32)};
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(a)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

// The 53 upper bits of two words: times 2^-53 a number in [0, 1).
constexpr uint64_t upper_bits(uint32_t high, uint32_t low) { return ((uint64_t{high} << 32) | low) >> 11; }

}  // namespace onnxrun::base
