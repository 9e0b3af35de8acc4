// GridSample: nearest, linear or cubic samples of an image at places that another tensor names.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

enum class SampleEdge { kZeros, kBorder, kReflection };

// x[batch, channels, space], grid[batch, points, axes] with the last axis of the space first, y[batch, channels, points].
struct GridSampling {
  int axes = 0, taps = 2;  // taps along an axis: 1 nearest, 2 linear, 4 cubic
  SampleEdge edge = SampleEdge::kZeros;
  bool corners = false;  // -1 and 1 are the centres of the outer elements, not their outer edges
  int64_t space[kMaxAxes];
  int64_t batch = 0, channels = 0, plane = 1, points = 1;
};

using GridSampleLaunch = void (*)(const Queue& queue, const GridSampling& how, const void* x, base::DType grid_type,
                                  const void* grid, void* y);
// Null where there is no kernel for this type.
GridSampleLaunch find_grid_sample(base::DType type, bool nearest);

}  // namespace onnxrun::cuda
