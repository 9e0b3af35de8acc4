// Packing and unpacking of small elements.
#include "packed.h"

namespace onnxrun::python {

void pack(const uint8_t* from, size_t count, int bits, uint8_t* to) {
  const uint32_t mask = (1u << bits) - 1;
  uint32_t held = 0;
  int filled = 0;
  for (size_t i = 0; i < count; ++i) {
    held |= (from[i] & mask) << filled;
    filled += bits;
    if (filled < 8) continue;
    *to++ = static_cast<uint8_t>(held);
    held >>= 8;
    filled -= 8;
  }
  if (filled > 0) *to = static_cast<uint8_t>(held);
}

void unpack(const uint8_t* from, size_t count, int bits, uint8_t* to) {
  const uint32_t mask = (1u << bits) - 1;
  uint32_t held = 0;
  int filled = 0;
  for (size_t i = 0; i < count; ++i) {
    if (filled < bits) {
      held |= static_cast<uint32_t>(*from++) << filled;
      filled += 8;
    }
    to[i] = static_cast<uint8_t>(held & mask);
    held >>= bits;
    filled -= bits;
  }
}

}  // namespace onnxrun::python
