// The ordered list of all passes.
#pragma once

#include <span>

#include "optimize/pass.h"

namespace onnxrun::optimize {

// In the order in which the driver runs them; a round goes through the list once.
std::span<const Pass> pipeline();

// The passes, one file each in passes/.
MatchResult match_eliminate_dead(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_identity(const PassContext& context, ir::NodeId node);
MatchResult match_drop_relu(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_quantized(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_dequantized_product(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_integer_product(const PassContext& context, ir::NodeId node);
MatchResult match_fold_constants(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_no_op(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_double_negation(const PassContext& context, ir::NodeId node);
MatchResult match_merge_transposes(const PassContext& context, ir::NodeId node);
MatchResult match_merge_reshapes(const PassContext& context, ir::NodeId node);
MatchResult match_share_common_subexpressions(const PassContext& context, ir::NodeId node);
MatchResult match_fold_scale_into_weights(const PassContext& context, ir::NodeId node);
MatchResult match_fold_scale_into_batch_normalization(const PassContext& context, ir::NodeId node);
MatchResult match_fold_input_scale_into_weights(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_layer_normalization(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_normalization_scale(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_gelu(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_gate(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_hard_sigmoid(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_attention(const PassContext& context, ir::NodeId node);
MatchResult match_block_channels(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_into_blocked_convolution(const PassContext& context, ir::NodeId node);

}  // namespace onnxrun::optimize
