// AffineGrid: a matrix applied to the points of an evenly spaced grid.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// theta[batch, axes, axes + 1], y[batch, space, axes]; points lie in [-1, 1] at the centres of the space's elements, or, with corners, from
// edge to edge. Both are of `type`, a float type.
struct AffineGridding {
  int64_t batch = 0, axes = 2, points = 1;
  int64_t space[3] = {1, 1, 1};
  bool corners = false;
};
void launch_affine_grid(const Queue& queue, const AffineGridding& how, base::DType type, const void* theta, void* y);

}  // namespace onnxrun::cuda
