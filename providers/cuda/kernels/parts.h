// A tensor's axes in two parts: those over which something is summed up, and the others.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/shape.h"
#include "cuda/host/broadcast.h"

namespace onnxrun::cuda {

// The walk over the axes of `dims` for which `reduced` is `wanted`.
inline Axes<1> part_of(base::DimsView dims, const std::vector<bool>& reduced, bool wanted) {
  const base::Dims all = base::contiguous_strides(dims);
  base::Dims sizes, steps;
  for (size_t d = 0; d < dims.size(); ++d)
    if (reduced[d] == wanted) sizes.push_back(dims[d]), steps.push_back(all[d]);
  const auto axes = walk<1>(sizes, {steps});
  if (!axes) base::fail(base::Code::kUnsupported, "the CUDA provider reduces over at most {} separate axes", kMaxAxes);
  return *axes;
}

}  // namespace onnxrun::cuda
