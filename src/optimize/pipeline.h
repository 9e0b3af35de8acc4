// The ordered list of all passes.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "optimize/pass.h"

namespace onnxrun::optimize {

// In the order in which the driver runs them; a round goes through the list once.
std::span<const Pass> pipeline();

// Names that onnxoptimizer has for what a pass of ours does; several may mean one, and one several.
struct Alias {
  std::string_view name;
  std::span<const std::string_view> passes;
};
std::span<const Alias> aliases();

// The passes that a name of ours or of onnxoptimizer's means. Throws kInvalidArgument for other names, listing ours.
std::vector<const Pass*> passes_named(std::string_view name);

// The passes, one file each in passes/.
MatchResult match_eliminate_dead(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_identity(const PassContext& context, ir::NodeId node);
MatchResult match_drop_relu(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_quantized(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_dequantized_product(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_integer_product(const PassContext& context, ir::NodeId node);
MatchResult match_split_before_transpose(const PassContext& context, ir::NodeId node);
MatchResult match_replace_cast_like(const PassContext& context, ir::NodeId node);
MatchResult match_merge_into_reshape(const PassContext& context, ir::NodeId node);
MatchResult match_merge_distant_transposes(const PassContext& context, ir::NodeId node);
MatchResult match_unmerge_batches(const PassContext& context, ir::NodeId node);
MatchResult match_widen_narrow_floats(const PassContext& context);
MatchResult match_fold_constants(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_no_op(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_double_negation(const PassContext& context, ir::NodeId node);
MatchResult match_merge_transposes(const PassContext& context, ir::NodeId node);
MatchResult match_merge_reshapes(const PassContext& context, ir::NodeId node);
MatchResult match_inline_if(const PassContext& context, ir::NodeId node);
MatchResult match_unroll_loop(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_repeated(const PassContext& context, ir::NodeId node);
MatchResult match_cancel_transposes(const PassContext& context, ir::NodeId node);
MatchResult match_absorb_transposes(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_gemm(const PassContext& context, ir::NodeId node);
MatchResult match_fold_pads(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_activation(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_bias_gelu(const PassContext& context, ir::NodeId node);
MatchResult match_simplify_sum(const PassContext& context, ir::NodeId node);
MatchResult match_merge_into_split(const PassContext& context, ir::NodeId node);
MatchResult match_drop_zero_states(const PassContext& context, ir::NodeId node);
MatchResult match_drop_monotone(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_log_softmax(const PassContext& context, ir::NodeId node);
MatchResult match_merge_reduce_unsqueeze(const PassContext& context, ir::NodeId node);
MatchResult match_drop_broadcasts(const PassContext& context, ir::NodeId node);
MatchResult match_shape_from_input(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_select(const PassContext& context, ir::NodeId node);
MatchResult match_turn_where(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_depth_to_space(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_group_normalization(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_dynamic_quantization(const PassContext& context, ir::NodeId node);
MatchResult match_replace_einsum(const PassContext& context, ir::NodeId node);
MatchResult match_simplify_reshape(const PassContext& context, ir::NodeId node);
MatchResult match_merge_slices(const PassContext& context, ir::NodeId node);
MatchResult match_merge_concats(const PassContext& context, ir::NodeId node);
MatchResult match_merge_squeezes(const PassContext& context, ir::NodeId node);
MatchResult match_merge_casts(const PassContext& context, ir::NodeId node);
MatchResult match_share_equal_shapes(const PassContext& context);
MatchResult match_share_duplicate_initializers(const PassContext& context);
MatchResult match_eliminate_unused_initializers(const PassContext& context);
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
MatchResult match_cancel_transposes_around_sums(const PassContext& context, ir::NodeId node);
MatchResult match_reduce_untransposed(const PassContext& context, ir::NodeId node);
MatchResult match_replace_einsum_projection(const PassContext& context, ir::NodeId node);
MatchResult match_replace_one_hot_product(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_instance_normalization(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_shifted_normalization(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_embeddings(const PassContext& context, ir::NodeId node);
MatchResult match_merge_transposed_squeezes(const PassContext& context, ir::NodeId node);
MatchResult match_merge_gathers_into_split(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_softmax_mask(const PassContext& context, ir::NodeId node);
MatchResult match_compute_before_reshape(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_weight_only(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_float8_product(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_rotary_embedding(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_attention_mask(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_grouped_heads(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_attention_cache(const PassContext& context, ir::NodeId node);
MatchResult match_merge_heads(const PassContext& context, ir::NodeId node);
MatchResult match_merge_batched_transpose(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_skip_normalization(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_elementwise(const PassContext& context, ir::NodeId node);
MatchResult match_block_channels(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_byte_function(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_into_blocked_integer_convolution(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_into_blocked_convolution(const PassContext& context, ir::NodeId node);

}  // namespace onnxrun::optimize
