// Attributes of ConvTranspose.
#pragma once

#include <algorithm>

#include "ops/attributes/window.h"

namespace onnxrun::ops {

struct TransposedWindow {
  Window window;
  std::vector<int64_t> output_padding;
  std::vector<int64_t> output_shape;  // of the spatial axes; empty where not given

  // How many leading elements of the full result along `axis` (`in` input and `out` output elements) are cut off; negative when
  // elements that nothing reaches are put in front.
  int64_t cut_begin(size_t axis, int64_t in, int64_t out) const {
    const bool same = window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower;
    if (output_shape.empty() && !same) return window.pads[axis];
    const int64_t total =
        std::max<int64_t>(window.strides[axis] * (in - 1) + output_padding[axis] + window.extent(axis) - out, 0);
    return window.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
  }
};

// Throws kInvalidModel.
template <class Source>
TransposedWindow read_transposed_window(const Source& source, const std::vector<int64_t>& kernel) {
  const size_t rank = kernel.size();
  TransposedWindow result;
  result.window = read_window(source, kernel);
  result.output_padding = read_sizes(source, "output_padding", rank, 0, 0);
  result.output_shape = source.get_ints("output_shape");
  if (result.output_shape.size() == rank + 2)
    result.output_shape.erase(result.output_shape.begin(), result.output_shape.begin() + 2);
  if (!result.output_shape.empty() && result.output_shape.size() != rank)
    base::fail(base::Code::kInvalidModel, "attribute 'output_shape' has {} values for {} spatial axes",
               result.output_shape.size(), rank);
  for (int64_t size : result.output_shape)
    if (size < 0 || size > INT32_MAX)
      base::fail(base::Code::kInvalidModel, "attribute 'output_shape' has the value {}", size);
  return result;
}

}  // namespace onnxrun::ops
