// Pools over up to three spatial axes.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

enum class PoolKind { kMax, kAverage, kLp };

// Axes that are not there have size 1.
struct Pool {
  PoolKind kind = PoolKind::kMax;
  int64_t planes = 0;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t strides[3] = {1, 1, 1}, dilations[3] = {1, 1, 1}, begin[3] = {0, 0, 0}, end[3] = {0, 0, 0};
  bool count_pads = false;
  bool columns_first = false;  // in the indices
  double p = 2;
};

// `indices` may be null.
using PoolLaunch = void (*)(const Queue& queue, const Pool& pool, const void* x, void* y, int64_t* indices);
PoolLaunch find_pool(PoolKind kind, base::DType type);

}  // namespace onnxrun::cuda
