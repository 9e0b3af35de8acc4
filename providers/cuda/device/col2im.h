// Col2Im: an image from the blocks that a window has cut out of it.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// x[planes, block elements, blocks], y[planes, image]; each pixel sums the elements of all blocks that cover it.
struct BlockSum {
  int axes = 0;
  int64_t planes = 0, image_size = 1, block_size = 1, block_count = 1;
  int64_t image[kMaxAxes], block[kMaxAxes], blocks[kMaxAxes], strides[kMaxAxes], dilations[kMaxAxes], pads[kMaxAxes];
};
using BlockSumLaunch = void (*)(const Queue& queue, const BlockSum& how, const void* x, void* y);
// Numbers, of which integers wrap, and complex ones; null for other types.
BlockSumLaunch find_block_sum(base::DType type);

}  // namespace onnxrun::cuda
