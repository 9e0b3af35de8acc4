// A contiguous tensor seen along one axis: outer x size x inner.
#pragma once

#include <cstdint>
#include <span>

namespace onnxrun::cpu {

struct AxisView {
  int64_t outer = 1, size = 1, inner = 1;

  AxisView() = default;
  // `axis` in [0, dims.size()).
  AxisView(std::span<const int64_t> dims, int64_t axis) : size(dims[static_cast<size_t>(axis)]) {
    for (size_t i = 0; i < dims.size(); ++i) {
      if (static_cast<int64_t>(i) < axis) outer *= dims[i];
      else if (static_cast<int64_t>(i) > axis) inner *= dims[i];
    }
  }
  bool empty() const { return outer == 0 || size == 0 || inner == 0; }
};

}  // namespace onnxrun::cpu
