// The rows of an input along one of its axes.
#pragma once

#include "cuda/device/reduce.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {

// Of input 0, along the attribute `axis`, the last one unless given.
inline Rows rows_along_axis(const Node& node) {
  const auto dims = provider::dims(node.input(0));
  const auto at =
      static_cast<size_t>(base::normalize_axis(node.get_int("axis", -1), static_cast<int64_t>(dims.size())));
  Rows rows;
  rows.size = dims[at];
  rows.step = product(dims, at + 1, dims.size());
  rows.count = product(dims, 0, at) * rows.step;
  return rows;
}

}  // namespace onnxrun::cuda
