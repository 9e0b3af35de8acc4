// Output shapes of sliding windows (convolutions and pools), on symbolic shapes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/infer.h"
#include "ops/attributes/window.h"

namespace onnxrun::ops {

// The number of windows along spatial axis `axis` for `input` elements; 0 where not even one fits into a short input. Throws kInvalidModel
// where it would be negative.
ir::Dim window_output(const Window& window, size_t axis, const ir::Dim& input);

// All spatial axes: the dims of `shape` from axis 2 on are replaced. Throws kInvalidModel when the rank is not window.rank() + 2.
ir::Shape window_shape(const Window& window, const ir::Shape& shape);

// The size of a transposed convolution's output along `axis`: stride * (input - 1) + output_padding + extent - pads; with SAME padding
// stride * input. Throws kInvalidModel where it would be negative.
ir::Dim transposed_window_output(const Window& window, size_t axis, const ir::Dim& input, int64_t output_padding);

}  // namespace onnxrun::ops
