// Sizes of sliding windows' outputs on symbolic shapes.
#include "ops/window_shape.h"

namespace onnxrun::ops {

using base::Code;
using base::fail;
using ir::Dim;
using ir::Shape;

Dim window_output(const Window& window, size_t axis, const Dim& input) {
  const Dim stride(window.strides[axis]), extent(window.extent(axis));
  if (window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower) return ceil_div(input, stride);
  const Dim begin(window.pads[axis]), end(window.pads[axis + window.rank()]);
  const Dim padded = input + begin + end;
  Dim count;
  if (window.ceil_mode && window.auto_pad == AutoPad::kNotSet) {
    // A window may hang over the end, but must not start in the padding there.
    count = min(ceil_div(padded - extent, stride) + Dim(1), ceil_div(input + begin, stride));
  } else {
    count = floor_div(padded - extent, stride) + Dim(1);
  }
  if (count.is_constant() && count.value() < 0)
    fail(Code::kInvalidModel, "a window of {} elements does not fit into spatial axis {} of {} elements (padded: {})",
         extent.to_string(), axis, input.to_string(), padded.to_string());
  return count;
}

Shape window_shape(const Window& window, const Shape& shape) {
  if (shape.size() != window.rank() + 2)
    fail(Code::kInvalidModel, "a window with {} spatial axes needs an input of rank {}, got {}", window.rank(),
         window.rank() + 2, ir::to_string(shape));
  Shape result = shape;
  for (size_t axis = 0; axis < window.rank(); ++axis) result[axis + 2] = window_output(window, axis, shape[axis + 2]);
  return result;
}

Dim transposed_window_output(const Window& window, size_t axis, const Dim& input, int64_t output_padding) {
  const Dim stride(window.strides[axis]);
  if (window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower) return input * stride;
  const Dim size = stride * (input - Dim(1)) + Dim(output_padding) + Dim(window.extent(axis)) - Dim(window.pads[axis]) -
                   Dim(window.pads[axis + window.rank()]);
  if (size.is_constant() && size.value() < 0)
    fail(Code::kInvalidModel, "the output of spatial axis {} would have {} elements: the pads {} and {} exceed it",
         axis, size.value(), window.pads[axis], window.pads[axis + window.rank()]);
  return size;
}

}  // namespace onnxrun::ops
