// Checks on the inputs of operators over images [N, C, D1, ...].
#pragma once

#include <string_view>

#include "ir/infer.h"
#include "ops/window_shape.h"

namespace onnxrun::ops {

// The shape of input `i`, called `name`, of rank 3 or more ([N, C, D1, ...]); null when its rank is unknown. Throws kInvalidModel otherwise.
const ir::Shape* spatial_input(const ir::InferContext& c, size_t i, std::string_view name);

// Requires that two dims, where both are constants, agree; says `what` otherwise.
void require_equal(const ir::InferContext& c, const ir::Dim& a, const ir::Dim& b, std::string_view what);

// Requires that input `i`, where it is present and its shape known, is a vector of `size` elements.
void require_vector(const ir::InferContext& c, size_t i, std::string_view name, const ir::Dim& size);

// [batch, channels, windows...] of an input of shape `in` under the window that `c`'s attributes and the weights' sizes say (-1:
// unknown; empty: no weights). Throws kInvalidModel.
ir::Shape windowed(const ir::InferContext& c, const ir::Shape& in, const ir::Dim& channels,
                   const std::vector<int64_t>& weights = {});

}  // namespace onnxrun::ops
