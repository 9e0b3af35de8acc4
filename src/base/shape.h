// Concrete shapes: element counts, strides, axes and multidirectional broadcasting.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/checked.h"

namespace onnxrun::base {

using Dims = std::vector<int64_t>;
using DimsView = std::span<const int64_t>;

// Product of the dims; 1 for rank 0. Throws kInvalidArgument on a negative dim and kLimitExceeded on overflow (even where a
// later dim is 0).
int64_t element_count(DimsView dims);

// Strides, in elements, of a contiguous row-major tensor.
Dims contiguous_strides(DimsView dims);

// "[2,3,4]"; "[]" for rank 0.
std::string to_string(DimsView dims);

// Maps `axis` in [-rank, rank) to [0, rank). Throws kInvalidArgument that names `what`, the axis and the range.
int64_t normalize_axis(int64_t axis, int64_t rank, std::string_view what = "axis");

// Normalises all axes; refuses duplicates.
std::vector<int64_t> normalize_axes(std::span<const int64_t> axes, int64_t rank, std::string_view what = "axes");

// The shape that `a` and `b` broadcast to (ONNX multidirectional broadcasting). Throws kInvalidArgument naming both.
Dims broadcast(DimsView a, DimsView b);

// Strides that read a contiguous tensor of shape `from` as the broadcast shape `to` (0 along broadcast axes); rank of `to`.
Dims broadcast_strides(DimsView from, DimsView to);

}  // namespace onnxrun::base
