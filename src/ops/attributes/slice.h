// The meaning of Slice's starts, ends and steps.
#pragma once

#include <algorithm>
#include <cstdint>

namespace onnxrun::ops::attributes {

// Elements first, first + step, ... of an axis, `count` of them.
struct SliceRange {
  int64_t first = 0, step = 1, count = 0;
};

// What start, end and step (not 0) select of an axis of `dim` elements, with numpy's rules for negative and far values.
inline SliceRange slice_range(int64_t dim, int64_t start, int64_t end, int64_t step) {
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? dim : dim - 1;
  auto clamp = [&](int64_t at) { return std::clamp(at < 0 ? at + dim : at, low, high); };
  const int64_t first = clamp(start);
  const int64_t stop = clamp(end);
  const int64_t distance = step > 0 ? stop - first : first - stop;
  if (distance <= 0) return {step > 0 ? std::min(first, dim) : 0, step, 0};
  if (step == INT64_MIN) return {first, 0, 1};
  const int64_t stride = step > 0 ? step : -step;
  return {first, step, (distance - 1) / stride + 1};
}

}  // namespace onnxrun::ops::attributes
