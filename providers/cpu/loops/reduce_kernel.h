// The accumulators of reductions, by operation and work type, built for every instruction set level.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace onnxrun::cpu {

enum class Reduction : uint8_t { kSum, kMean, kSumSquare, kL1, kL2, kLogSum, kLogSumExp, kMax, kMin, kProd };

// How one reduction works on one work type: an array of accumulators is started, fed and finished.
struct ReduceKernel {
  static constexpr int64_t kRun = 512;
  static constexpr int64_t kColumns = 128;

  void (*start)(void* accumulators, int64_t count);
  // One accumulator takes `n` contiguous elements (n <= kRun).
  void (*feed_run)(void* accumulator, const void* x, int64_t n);
  // Accumulator j takes x[r * stride + j] for r in [0, rows); columns <= kColumns.
  void (*feed_rows)(void* accumulators, const void* x, int64_t stride, int64_t rows, int64_t columns);
  // Results in the work type; `reduced` elements went into each.
  void (*finish)(const void* accumulators, int64_t count, int64_t reduced, void* out);
  int64_t accumulator_bytes;
  base::DType work;
};

// Null when the reduction is not defined on the type. Float16 and bfloat16 work as float, integers as 64-bit ones but where only the greatest or least is looked for.
const ReduceKernel* reduce_kernel(Reduction reduction, base::DType type);

}  // namespace onnxrun::cpu
