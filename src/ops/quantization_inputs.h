// Scales and zero points among the inputs of quantised operators.
#pragma once

#include <string_view>

#include "ir/expansion.h"
#include "ir/infer.h"

namespace onnxrun::ops {

// Requires that input `i`, called `name`, where it is present and its shape known, has one element. Throws kInvalidModel.
void require_one_element(const ir::InferContext& c, size_t i, std::string_view name);

// Emits the float32 values of a quantised input, and output 0 from float32 values; `zero` may be kNone. Scales are of one element.
ir::ValueId dequantized(ir::Expansion& e, ir::ValueId x, ir::ValueId scale, ir::ValueId zero);
void finish_quantized(ir::Expansion& e, ir::ValueId y, ir::ValueId scale, ir::ValueId zero, ir::DType type);

// Emits a Transpose of rank `rank` that moves the channels from the last axis to axis 1, or back.
ir::ValueId channels_first(ir::Expansion& e, ir::ValueId x, int64_t rank);
ir::ValueId channels_last(ir::Expansion& e, ir::ValueId x, int64_t rank);

}  // namespace onnxrun::ops
