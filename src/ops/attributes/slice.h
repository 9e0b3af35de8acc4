// The meaning of Slice's starts, ends and steps.
#pragma once

#include <algorithm>
#include <cstdint>

namespace onnxrun::ops::attributes {

// Elements first, first + step, ... of an axis, `count` of them.
struct SliceRange {
  int64_t first = 0, step = 1, count = 0;
};

// What start, end and step (not 0) select of an axis of `dim` elements. Negative positions count from the end, far ones are moved to the nearest
// that is allowed: unlike numpy's, a start before the first element is that element when the step is negative.
inline SliceRange slice_range(int64_t dim, int64_t start, int64_t end, int64_t step) {
  if (dim == 0) return {0, step, 0};
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? dim : dim - 1;
  auto clamp = [&](int64_t at, int64_t least) { return std::clamp(at < 0 ? at + dim : at, least, high); };
  const int64_t first = clamp(start, 0);
  const int64_t stop = clamp(end, low);
  const int64_t distance = step > 0 ? stop - first : first - stop;
  if (distance <= 0) return {step > 0 ? std::min(first, dim) : 0, step, 0};
  if (step == INT64_MIN) return {first, 0, 1};
  const int64_t stride = step > 0 ? step : -step;
  return {first, step, (distance - 1) / stride + 1};
}

}  // namespace onnxrun::ops::attributes
