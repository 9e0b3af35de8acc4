// Access to the elements of packed sub-byte arrays (2, 4 and 6 bits an element, little end first).
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace onnxrun::base {

// The code of element `index` of a packed array with `bits` bits an element (2, 4 or 6).
inline uint8_t packed_get(const uint8_t* data, int bits, int64_t index) {
  const uint64_t bit = static_cast<uint64_t>(index) * static_cast<uint64_t>(bits);
  const int shift = static_cast<int>(bit & 7);
  unsigned word = data[bit >> 3];
  if (shift + bits > 8) word |= static_cast<unsigned>(data[(bit >> 3) + 1]) << 8;
  return static_cast<uint8_t>((word >> shift) & ((1u << bits) - 1));
}

// Stores `code` as element `index`. Neighbours in the same byte are kept, so no two threads may write one byte.
inline void packed_set(uint8_t* data, int bits, int64_t index, uint8_t code) {
  const uint64_t bit = static_cast<uint64_t>(index) * static_cast<uint64_t>(bits);
  const int shift = static_cast<int>(bit & 7);
  const unsigned mask = (1u << bits) - 1;
  data[bit >> 3] = static_cast<uint8_t>((data[bit >> 3] & ~(mask << shift)) | ((code & mask) << shift));
  if (shift + bits > 8) {
    uint8_t& high = data[(bit >> 3) + 1];
    high = static_cast<uint8_t>((high & ~(mask >> (8 - shift))) | ((code & mask) >> (8 - shift)));
  }
}

// The integer value of a 2- or 4-bit code.
inline int packed_integer(DType dtype, uint8_t code) {
  switch (dtype) {
    case DType::kInt4: return code >= 8 ? code - 16 : code;
    case DType::kInt2: return code >= 2 ? code - 4 : code;
    default: return code;
  }
}

}  // namespace onnxrun::base
