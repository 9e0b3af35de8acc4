// Concrete shapes: element counts, strides, axes and broadcasting.
#include "base/shape.h"

#include <algorithm>

namespace onnxrun::base {

int64_t element_count(DimsView dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) fail(Code::kInvalidArgument, "shape {} has the negative dimension {}", to_string(dims), dim);
  }
  for (const int64_t dim : dims) {
    // A zero counts as one here, so that the sizes beside it stay bounded too.
    if (__builtin_mul_overflow(count, std::max<int64_t>(dim, 1), &count))
      fail(Code::kLimitExceeded, "shape {} has more elements than 64 bits can count", to_string(dims));
  }
  return std::find(dims.begin(), dims.end(), 0) == dims.end() ? count : 0;
}

Dims contiguous_strides(DimsView dims) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride = checked_mul(stride, std::max<int64_t>(dims[i], 1));
  }
  return strides;
}

std::string to_string(DimsView dims) {
  std::string text = "[";
  for (const int64_t dim : dims) {
    if (text.size() > 1) text += ',';
    text += std::to_string(dim);
  }
  return text += ']';
}

int64_t normalize_axis(int64_t axis, int64_t rank, std::string_view what) {
  if (axis < -rank || axis >= rank)
    fail(Code::kInvalidArgument, "{} {} is outside [{}, {}), the range for rank {}", what, axis, -rank, rank, rank);
  return axis < 0 ? axis + rank : axis;
}

std::vector<int64_t> normalize_axes(std::span<const int64_t> axes, int64_t rank, std::string_view what) {
  std::vector<int64_t> result;
  if (rank >= 0 && axes.size() > static_cast<size_t>(rank))
    fail(Code::kInvalidArgument, "{}: {} axes are more than rank {} has", what, axes.size(), rank);
  result.reserve(axes.size());
  for (const int64_t axis : axes) {
    const int64_t normal = normalize_axis(axis, rank, what);
    if (std::find(result.begin(), result.end(), normal) != result.end())
      fail(Code::kInvalidArgument, "{} names axis {} twice", what, normal);
    result.push_back(normal);
  }
  return result;
}

Dims broadcast(DimsView a, DimsView b) {
  const size_t rank = std::max(a.size(), b.size());
  Dims result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1)
      fail(Code::kInvalidArgument, "shapes {} and {} do not broadcast: dimensions {} and {} differ and neither is 1",
           to_string(a), to_string(b), left, right);
    result[rank - 1 - i] = left == 1 ? right : left;
  }
  return result;
}

Dims broadcast_strides(DimsView from, DimsView to) {
  if (from.size() > to.size())
    fail(Code::kInvalidArgument, "shape {} does not broadcast to {}, which has a lower rank", to_string(from),
         to_string(to));
  const Dims strides = contiguous_strides(from);
  const size_t lead = to.size() - from.size();
  Dims result(to.size(), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == to[lead + i]) {
      result[lead + i] = from[i] == 1 ? 0 : strides[i];
    } else if (from[i] != 1) {
      fail(Code::kInvalidArgument, "shape {} does not broadcast to {}: dimension {} cannot become {}", to_string(from),
           to_string(to), from[i], to[lead + i]);
    }
  }
  return result;
}

}  // namespace onnxrun::base
