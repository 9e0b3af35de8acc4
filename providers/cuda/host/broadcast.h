// Walks over several tensors at once, with as few axes as their strides allow.
#pragma once

#include <array>
#include <optional>

#include "base/shape.h"
#include "cuda/device/axes.h"

namespace onnxrun::cuda {

// The walk over `dims` with the given steps of each operand (one list of steps an operand, as long as dims). Axes of one element are
// dropped, and an axis is joined with the next one where every operand runs on. Empty when more than kMaxAxes are left.
template <int N>
std::optional<Axes<N>> walk(base::DimsView dims, const std::array<base::Dims, N>& steps) {
  Axes<N> axes;
  base::Dims sizes;
  std::array<base::Dims, N> kept;
  for (size_t d = 0; d < dims.size(); ++d) {
    axes.count *= dims[d];
    if (dims[d] == 1) continue;
    bool joined = !sizes.empty();
    for (int k = 0; k < N && joined; ++k)
      joined = kept[static_cast<size_t>(k)].back() == steps[static_cast<size_t>(k)][d] * dims[d];
    if (joined) sizes.back() *= dims[d];
    else sizes.push_back(dims[d]);
    for (int k = 0; k < N; ++k) {
      auto& list = kept[static_cast<size_t>(k)];
      const int64_t step = steps[static_cast<size_t>(k)][d];
      if (joined) list.back() = step;
      else list.push_back(step);
    }
  }
  if (sizes.size() > kMaxAxes) return std::nullopt;
  axes.rank = static_cast<int>(sizes.size());
  for (size_t d = 0; d < sizes.size(); ++d) {
    axes.dims[d] = sizes[d];
    for (int k = 0; k < N; ++k) axes.steps[k][d] = kept[static_cast<size_t>(k)][d];
  }
  return axes;
}

// Whether operand `k` is read from its start to its end.
template <int N>
bool runs_through(const Axes<N>& axes, int k) {
  return axes.rank == 0 || (axes.rank == 1 && axes.steps[k][0] == 1);
}

}  // namespace onnxrun::cuda
