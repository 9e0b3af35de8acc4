// Element types narrower than a byte, and those of a byte whose values a table tells.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// y[i] = table[code i of x], codes of 2, 4, 6 or 8 bits, the first in the low bits.
void launch_decode(const Queue& queue, int bits, const float* table, const uint8_t* x, float* y, int64_t count);

// As float, with the last bit set where that lost anything: rounded again it is as if rounded once. Null for types that float holds.
using OddLaunch = void (*)(const Queue& queue, const void* x, float* y, int64_t count);
OddLaunch find_odd(base::DType type);

// y[i] = codes[the last k with x[i] not below lows[k]]; NaN gives `nan`. -0 is below 0.
struct Encoding {
  int count = 0;
  const float* lows = nullptr;
  const uint8_t* codes = nullptr;
  uint8_t nan = 0;
};
void launch_encode(const Queue& queue, const Encoding& encoding, const float* x, uint8_t* y, int64_t count);

// The low `bits` bits of each byte of x (2, 4 or 6), one after the other.
void launch_pack(const Queue& queue, int bits, const uint8_t* x, uint8_t* y, int64_t count);

}  // namespace onnxrun::cuda
