// A tensor along the axis that attribute "axis" names, or as one row of all its elements where there is none: Compress and Unique.
#pragma once

#include "base/shape.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {

struct OptionalAxis {
  explicit OptionalAxis(const Node& node) : dims{provider::count(node.input(0))} {
    if (node.has("axis")) {
      const auto given = provider::dims(node.input(0));
      dims.assign(given.begin(), given.end());
      axis = static_cast<size_t>(base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(given.size())));
    }
    outer = product(dims, 0, axis);
    size = dims[axis];
    inner = product(dims, axis + 1, dims.size());
  }
  // Its shape with another number of entries along the axis.
  base::Dims with(int64_t entries) const {
    base::Dims result = dims;
    result[axis] = entries;
    return result;
  }

  base::Dims dims;
  size_t axis = 0;
  int64_t outer = 1, size = 1, inner = 1;
};

}  // namespace onnxrun::cuda
