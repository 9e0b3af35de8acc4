// Shapes of values whose channels are blocked: [N, C, D1, ...] kept as [N, ceil(C / b), D1, ..., b].
#pragma once

#include <string_view>

#include "ir/expansion.h"
#include "ir/infer.h"

namespace onnxrun::ops {

// The attribute `block`. Throws kInvalidModel where it is out of range.
int64_t block_of(const ir::InferContext& c);

// The shape of input `i`, which has blocked channels; null when its rank is unknown.
const ir::Shape* blocked_input(const ir::InferContext& c, size_t i, std::string_view name);

ir::Shape blocked_shape(const ir::Shape& plain, int64_t block);
// `shape`, that of input `name`, with `channels`, which its blocks must hold.
ir::Shape unblocked_shape(const ir::InferContext& c, const ir::Shape& shape, const ir::Dim& channels,
                          std::string_view name);

// Infers a convolution of input 0, blocked or plain, with weights, a bias and a value that is added, of the type of output 0.
struct BlockedConvolutionInputs {
  size_t weights, bias, added;
};
void infer_blocked_convolution(ir::InferContext& c, const BlockedConvolutionInputs& inputs, ir::DType type);

ir::ValueId from_blocked(ir::Expansion& e, ir::ValueId x, int64_t channels);

}  // namespace onnxrun::ops
