// Copies between strided places, and what ends a convolution.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// to[...] = from[...] for all elements of the walk (steps of `from`, then of `to`); elements of `bytes` bytes: 1, 2, 4, 8 or 16.
void launch_copy(const Queue& queue, const Axes<2>& axes, int bytes, const void* from, void* to);

// Sets `count` elements of `bytes` bytes to *value, which lies on the host.
void launch_fill(const Queue& queue, int bytes, const void* value, void* to, int64_t count);

// Adds to y[..., c, plane] a bias of each channel and a tensor of y's shape (either may be null), then clamps. Float types only.
struct ChannelEnd {
  const void* bias = nullptr;
  const void* added = nullptr;
  int64_t channels = 1, plane = 1, count = 0;
  bool clamps = false;
  float low = 0, high = 0;
};
void launch_channel_end(const Queue& queue, base::DType type, const ChannelEnd& end, void* y);

}  // namespace onnxrun::cuda
