// Signed bytes as sums of two, for processors whose product of bytes adds neighbours in 16 bits and saturates (pmaddubsw).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace onnxrun::cpu {

// Whether the products of a pair of weights with any unsigned bytes have sums of 16 bits: 255 * 128 is less than 2^15.
constexpr bool pair_fits(int a, int b) {
  return std::max(a, 0) + std::max(b, 0) <= 128 && std::min(a, 0) + std::min(b, 0) >= -128;
}

// Leaves of each pair of `count` weights (a multiple of 8) a part that fits and writes what remains, which fits as well, to `rest`. Returns false, and
// may write nothing, where nothing remains.
inline bool keep_part(int8_t* weights, int8_t* rest, int64_t count) {
  // None is beyond -64 to 63 where its two highest bits are equal.
  uint64_t large = 0;
  for (int64_t i = 0; i < count; i += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, weights + i, 8);
    large |= bytes ^ bytes << 1;
  }
  if ((large & 0x8080808080808080u) == 0) return false;
  bool any = false;
  for (int64_t i = 0; i < count; i += 2) {
    const bool fits = pair_fits(weights[i], weights[i + 1]);
    any = any || !fits;
    for (int64_t j = i; j < i + 2; ++j) {
      const int kept = fits ? weights[j] : std::clamp<int>(weights[j], -64, 64);
      rest[j] = static_cast<int8_t>(weights[j] - kept);
      weights[j] = static_cast<int8_t>(kept);
    }
  }
  return any;
}

}  // namespace onnxrun::cpu
