// Between ONNX's layout [N, C, spatial…] and the channels-last one [N, spatial…, C].
#pragma once

#include "ir/expansion.h"

namespace onnxrun::ops {

// Transposes of x; its rank must be known.
ir::ValueId to_channels_first(ir::Expansion& e, ir::ValueId x);
ir::ValueId to_channels_last(ir::Expansion& e, ir::ValueId x);

}  // namespace onnxrun::ops
