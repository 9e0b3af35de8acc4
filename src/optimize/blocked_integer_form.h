// What nodes on 8-bit integers become where the channels of their values are blocked.
#pragma once

#include "optimize/blocked_form.h"

namespace onnxrun::optimize {

// As blocked_form. Zero points of int8 values become those of the uint8 values that blocks keep.
std::optional<BlockedForm> blocked_integer_form(const PassContext& context, const ir::Node& node, int64_t block);

// What lanes of zeros or of anything else among integers become as float32 by the DequantizeLinear `node`.
std::optional<Lanes> dequantized_lanes(const ir::Graph& graph, const ir::Node& node);

}  // namespace onnxrun::optimize
