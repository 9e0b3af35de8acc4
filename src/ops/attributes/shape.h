// Attributes of Shape.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace onnxrun::ops::attributes {

// The axes [first, second) that Shape gives of a tensor of this rank: `start` and `end`, negative ones from the back, clamped.
template <class Source>
std::pair<int64_t, int64_t> shape_range(const Source& source, int64_t rank) {
  auto clamp = [rank](int64_t axis) { return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank); };
  const int64_t start = clamp(source.get_int("start", 0));
  const int64_t end = clamp(source.get_int("end", rank));
  return {start, std::max(start, end)};
}

}  // namespace onnxrun::ops::attributes
