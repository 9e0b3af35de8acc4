// The order of the passes, with its reasons.
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

std::span<const Pass> pipeline() {
  static constexpr Pass kPasses[] = {
      // First, so that no later pass works on what nobody reads.
      {"eliminate-dead", "removes nodes whose outputs nobody reads", kBasic, match_eliminate_dead, true},
      // Before folding: folding then sees constants through identities.
      {"eliminate-identity", "lets readers of an Identity read its input", kBasic, match_eliminate_identity},
      // Before folding, and before all that asks for numbers.
      {"replace-cast-like", "makes a Cast of a CastLike", kBasic, match_replace_cast_like},
      // Before everything that looks through values: what they put in place is then seen by all others.
      {"inline-if", "puts the branch of an If whose condition is known in its place", kBasic, match_inline_if},
      {"unroll-loop", "puts the iterations of a small Loop whose number is known one after the other", kBasic,
       match_unroll_loop},
      // The next four before folding, which would turn quantised weights into floats.
      {"drop-relu-before-quantize", "removes a Relu that QuantizeLinear's saturation repeats", kBasic, match_drop_relu},
      {"fuse-quantized", "computes what stands between DequantizeLinear and QuantizeLinear on quantised values",
       kExtended, match_fuse_quantized},
      // After the one before, which takes the quantisation of the result along.
      {"fuse-dequantized-product", "computes products of dequantised values on quantised values", kExtended,
       match_fuse_dequantized_product},
      // After both, which compute on quantised values where the other operand is quantised as well.
      {"fuse-weight-only", "multiplies with narrow weights as they are stored", kExtended, match_fuse_weight_only},
      // Like those before folding, but of float8: for sessions only, as few runtimes have the operator.
      {"fuse-float8-product", "multiplies matrices of float8 as they are where a device has such products", kLayout,
       match_fuse_float8_product},
      {"fuse-integer-product", "gives MatMulInteger its scales and its bias", kBasic, match_fuse_integer_product},
      // After the one before, which gives the product its bias.
      {"fuse-dynamic-quantization", "quantises the left operand of a product in the product", kExtended,
       match_fuse_dynamic_quantization},
      // What changes nothing hides chains from those that merge them.
      {"eliminate-no-op", "lets readers of a node that changes nothing read its input", kBasic, match_eliminate_no_op},
      {"eliminate-repeated", "removes the second of two Relus, Floors and the like", kBasic, match_eliminate_repeated},
      {"eliminate-double-negation", "removes Neg of Neg and Not of Not", kBasic, match_eliminate_double_negation},
      {"drop-zero-states", "leaves out initial states of recurrent operators that are zero", kBasic,
       match_drop_zero_states},
      {"turn-where", "exchanges what a Where of a Not chooses from", kBasic, match_turn_where},
      {"drop-broadcasts", "lets elementwise operators read what an Expand reads", kBasic, match_drop_broadcasts},
      {"simplify-sum", "makes an Add of a Sum of two", kBasic, match_simplify_sum},
      {"merge-transposes", "makes one Transpose of two", kBasic, match_merge_transposes},
      // Before Reshapes are merged, which asks for constant shapes.
      {"simplify-reshape", "gives a Reshape a constant for a shape that is computed", kBasic, match_simplify_reshape},
      {"merge-batched-transpose", "makes one Transpose of one between Reshapes that only merge and split leading axes",
       kBasic, match_merge_batched_transpose},
      {"merge-reshapes", "makes one Reshape of two views", kBasic, match_merge_reshapes},
      // After the one before, which merges the two Reshapes it leaves in a row.
      {"split-before-transpose", "splits an axis before a Transpose that is split after it", kBasic,
       match_split_before_transpose},
      {"merge-squeezes", "makes one Squeeze or Unsqueeze of two", kBasic, match_merge_squeezes},
      {"merge-into-reshape", "lets a Reshape leave out or put in the axes of a Squeeze or Unsqueeze after it", kBasic,
       match_merge_into_reshape},
      {"merge-transposed-squeezes",
       "makes one Transpose of one between an Unsqueeze and a Squeeze or Reshape that takes its axes away", kBasic,
       match_merge_transposed_squeezes},
      {"merge-reduce-unsqueeze", "lets a reduction keep the axes that an Unsqueeze or Reshape puts back", kBasic,
       match_merge_reduce_unsqueeze},
      {"merge-slices", "makes one Slice of two", kBasic, match_merge_slices},
      {"merge-into-split", "makes one Split of Slices that cut an axis into parts", kBasic, match_merge_into_split},
      {"merge-gathers-into-split", "makes one Split of Gathers that take parts of an axis", kBasic,
       match_merge_gathers_into_split},
      {"merge-concats", "lets a Concat take the parts of another", kBasic, match_merge_concats},
      {"merge-casts", "casts from the type before a Cast that loses nothing", kBasic, match_merge_casts},
      {"compute-before-reshape", "adds or multiplies with a constant before a Reshape that splits the last axis",
       kBasic, match_compute_before_reshape},
      // After Transposes that meet are merged: what is left stands apart.
      {"cancel-transposes", "computes nodes between Transposes that undo each other without them", kBasic,
       match_cancel_transposes},
      {"cancel-transposes-around-sums", "does so around what sums along an axis", kExtended,
       match_cancel_transposes_around_sums},
      {"reduce-untransposed", "lets a reduction read what a Transpose reads", kExtended, match_reduce_untransposed},
      // Before Transposes are absorbed, some of which it makes.
      {"replace-einsum", "makes a MatMul of an Einsum that is one", kExtended, match_replace_einsum},
      {"replace-einsum-projection", "makes a MatMul of an Einsum over the last axes of one operand", kExtended,
       match_replace_einsum_projection},
      // Before folding, which would copy a large weight that a product reads as it is.
      {"absorb-transposes", "lets products read what a Transpose reads", kExtended, match_absorb_transposes},
      // After the one before, which makes products that read transposed.
      {"unmerge-batches", "multiplies without merging axes for it that are split again", kExtended,
       match_unmerge_batches},
      // After the one before, which lets rows stand in the axes that Transposes exchange.
      {"merge-distant-transposes", "makes one Transpose of two with products of rows between them", kExtended,
       match_merge_distant_transposes},
      // Last of the basic ones, as the others may leave nodes with constant inputs only.
      {"fold-constants", "computes nodes whose inputs are all constant", kBasic, match_fold_constants},
      // After folding, which makes constants of ranges, and after Einsums are products.
      {"replace-one-hot-product", "gathers the rows of a matrix that one-hot rows are multiplied with", kExtended,
       match_replace_one_hot_product},
      // After folding, which makes constants that can be compared.
      {"shape-from-input", "takes the shape of a value that at most one other node reads from an input", kBasic,
       match_shape_from_input},
      {"share-equal-shapes", "computes the same shape of different values once", kBasic, nullptr, false,
       match_share_equal_shapes},
      {"share-common-subexpressions", "computes once what is computed twice", kBasic,
       match_share_common_subexpressions},
      {"fold-pads", "takes a Pad into the pads of a Conv or a pool", kExtended, match_fold_pads},
      // Before factors are folded, which a Gemm takes with its bias.
      {"fuse-gemm", "makes one Gemm of a product of matrices and an Add", kExtended, match_fuse_gemm},
      // Before activations are recognised: it takes away the Mul and Add of a batch normalization written out.
      {"fold-scale-into-weights", "takes channel factors and shifts into constant weights", kExtended,
       match_fold_scale_into_weights},
      {"fold-scale-into-batch-normalization", "takes channel factors and shifts into a BatchNormalization", kExtended,
       match_fold_scale_into_batch_normalization},
      {"fold-input-scale-into-weights", "takes channel factors and shifts before a Conv into its weights", kExtended,
       match_fold_input_scale_into_weights},
      {"fuse-layer-normalization", "recognises LayerNormalization and RMSNormalization", kExtended,
       match_fuse_layer_normalization},
      {"fuse-shifted-normalization", "recognises LayerNormalization in TensorFlow's spelling", kExtended,
       match_fuse_shifted_normalization},
      // After the ones before: over the last of three axes both are the same.
      {"fuse-instance-normalization", "recognises InstanceNormalization", kExtended, match_fuse_instance_normalization},
      {"fuse-group-normalization", "recognises GroupNormalization", kExtended, match_fuse_group_normalization},
      {"fuse-normalization-scale", "takes row constants into a normalization", kExtended,
       match_fuse_normalization_scale},
      {"fuse-gelu", "recognises Gelu", kExtended, match_fuse_gelu},
      // Before HardSigmoid, whose sixth it shares.
      {"fuse-gate", "recognises Swish, HardSwish and Mish", kExtended, match_fuse_gate},
      {"fuse-hard-sigmoid", "recognises HardSigmoid", kExtended, match_fuse_hard_sigmoid},
      {"fuse-log-softmax", "recognises LogSoftmax", kExtended, match_fuse_log_softmax},
      {"fuse-depth-to-space", "recognises DepthToSpace and SpaceToDepth", kExtended, match_fuse_depth_to_space},
      {"drop-monotone", "lets an ArgMax read what the Softmax before it reads", kExtended, match_drop_monotone},
      // Before attention, whose masks are chosen.
      {"fuse-select", "makes a Where of what a condition and its opposite multiply", kExtended, match_fuse_select},
      {"fuse-rotary-embedding", "recognises RotaryEmbedding", kExtended, match_fuse_rotary_embedding},
      {"fuse-attention", "recognises Attention", kExtended, match_fuse_attention},
      {"fuse-attention-mask", "lets an Attention read which keys count", kExtended, match_fuse_attention_mask},
      {"fuse-grouped-heads", "lets an Attention read keys and values once that are repeated for groups of heads",
       kExtended, match_fuse_grouped_heads},
      // After the one before, as the past is repeated with the keys.
      {"fuse-attention-cache", "lets an Attention put the past before its keys and values", kExtended,
       match_fuse_attention_cache},
      // After the three before, which look for inputs in heads.
      {"merge-heads", "lets an Attention read and write heads side by side", kExtended, match_merge_heads},
      // After the fusions, which change weights that nobody else reads.
      {"share-duplicate-initializers", "keeps one of constants that are equal", kBasic, nullptr, false,
       match_share_duplicate_initializers},
      // When all others have left what they left.
      {"eliminate-unused-initializers", "removes constants that nobody reads", kBasic, nullptr, false,
       match_eliminate_unused_initializers},
      // When the passes for quantised models have joined what they join, and before regions are formed: tables have a blocked form.
      {"fuse-byte-function", "looks up what depends on one 8-bit element only", kLayout, match_fuse_byte_function},
      // What it makes, the other passes fuse in rounds to come.
      {"widen-narrow-floats", "computes regions of float16 and bfloat16 in float32 where kernels would convert",
       kLayout, nullptr, false, match_widen_narrow_floats},
      // Once nothing else is left to do, as no other pass knows blocked operators.
      {"block-channels", "runs regions of convolutions on blocked channels", kLayout, match_block_channels},
      {"fuse-into-blocked-convolution", "takes what follows a convolution on blocked channels into it", kLayout,
       match_fuse_into_blocked_convolution},
      {"fuse-into-blocked-integer-convolution", "takes an addition and a table after a quantised convolution into it",
       kLayout, match_fuse_into_blocked_integer_convolution},
      // Of what is left plain: no other pass knows what it makes.
      {"fuse-activation", "makes one node of a Conv or Gemm and the activation after it", kExtended,
       match_fuse_activation, false, nullptr, true},
      {"fuse-bias-gelu", "makes one node of a Gelu and the constant row before it", kExtended, match_fuse_bias_gelu,
       false, nullptr, true},
      {"fuse-embeddings", "makes one node of rows chosen from tables, their sum and its normalization", kExtended,
       match_fuse_embeddings, false, nullptr, true},
      {"fuse-skip-normalization", "makes one node of a sum and the normalization of its rows", kExtended,
       match_fuse_skip_normalization, false, nullptr, true},
      {"fuse-softmax-mask", "adds what is added before a Softmax in the Softmax", kLayout, match_fuse_softmax_mask,
       false, nullptr, true},
      // What no other pass took. Ends of chains first.
      {"fuse-elementwise", "computes chains of elementwise operators in one pass over memory", kLayout,
       match_fuse_elementwise, true, nullptr, true},
  };
  return kPasses;
}

}  // namespace onnxrun::optimize
