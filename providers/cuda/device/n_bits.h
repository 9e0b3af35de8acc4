// Products with weights of 2, 4 or 8 bits in blocks that have a scale, and may have a zero point, each.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// com.microsoft.MatMulNBits: y[m, n] of a[m, k] and n rows of numbers of `bits` bits in blocks along k, each row of whole words of 32 bits.
struct NBitsProduct {
  int64_t m = 0, n = 0, k = 0, bits = 4, block = 32, blocks = 1, row_bytes = 0, zero_row_bytes = 0;
  const uint8_t* weights = nullptr;
  const void* scales = nullptr;    // of a's type
  const uint8_t* zeros = nullptr;  // packed, or null: the middle of the range
  const void* float_zeros = nullptr;
  const int32_t* groups = nullptr;  // the block of each element of k, or null
  const void* bias = nullptr;
  Report report;  // of a group beyond the blocks
};

constexpr int64_t kFewRows = 8;  // of a, for which weights are read as they are

// The types are those of a: float32, float16 or bfloat16. Null otherwise.
struct NBitsLaunches {
  // Whole products, each weight unpacked in float32 for up to kFewRows rows at a time.
  void (*product)(const Queue& queue, const NBitsProduct& how, const void* a, void* y) = nullptr;
  // to[n, k] of the n rows of weights from `first` on.
  void (*unpack)(const Queue& queue, const NBitsProduct& how, int64_t first, int64_t n, void* to) = nullptr;
};
NBitsLaunches find_n_bits(base::DType type);

}  // namespace onnxrun::cuda
