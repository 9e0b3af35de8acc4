// DeformConv: a convolution whose taps are sampled bilinearly, each moved by an offset of its own.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// x[batch, channels, in], weights[outputs, channels / groups, kernel], offsets[batch, offset groups, kernel, 2, out], mask[batch, offset groups,
// kernel, out], y[batch, outputs, out]: all of one float type. Spaces have two axes.
struct DeformedConvolution {
  int64_t batch = 0, channels = 0, outputs = 0, groups = 1, offset_groups = 1;
  int64_t in[2] = {}, out[2] = {}, kernel[2] = {}, strides[2] = {}, dilations[2] = {}, pads[2] = {};
  const void* weights = nullptr;
  const void* offsets = nullptr;
  const void* bias = nullptr;  // or null, as the mask
  const void* mask = nullptr;
};
using DeformLaunch = void (*)(const Queue& queue, const DeformedConvolution& how, const void* x, void* y);
DeformLaunch find_deform(base::DType type);

}  // namespace onnxrun::cuda
