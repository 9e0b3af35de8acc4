// Codes of 2, 4, 6 or 8 bits, one after the other, the first in the low bits.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace onnxrun::cuda {

__device__ inline uint8_t code_at(const uint8_t* x, int bits, int64_t i) {
  if (bits == 8) return x[i];
  const int64_t bit = i * bits;
  unsigned word = x[bit / 8];
  if (bit % 8 + bits > 8) word |= static_cast<unsigned>(x[bit / 8 + 1]) << 8;
  return static_cast<uint8_t>(word >> bit % 8 & ((1u << bits) - 1));
}

}  // namespace onnxrun::cuda
