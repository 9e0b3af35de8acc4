// What onnxsim, onnxslim and ONNX Runtime do to a graph, and what of ours does it, for docs/passes.md.
#pragma once

namespace onnxrun::optimize {

struct OtherPass {
  const char* optimizer;
  const char* name;
  const char* ours;  // names of passes of ours, by blanks; "": none
  const char* note;  // where, instead of a pass, or why none
};

inline constexpr OtherPass kOtherPasses[] = {
    {"onnxoptimizer", "adjust_add, adjust_slice_and_matmul", "", "patterns look for operands in either order"},
    {"onnxoptimizer", "extract_constant_to_initializer", "", "a Constant is a constant once a model is read"},
    {"onnxoptimizer", "fuse_qkv", "",
     "three products of one input are left apart: a joint one and a Split are slower here"},
    {"onnxoptimizer", "lift_lexical_references, split_init, split_predict", "", "not optimisations"},
    {"onnxoptimizer", "rename_input_output, set_unique_name_for_nodes, rewrite_input_dtype", "",
     "`onnx-run edit` renames and retypes"},
    {"onnxsim", "its own choice of onnxoptimizer's passes", "", "see the table above"},
    {"onnxsim", "constant folding with ONNX Runtime", "fold-constants", "with the session's own kernels"},
    {"onnxsim", "--overwrite-input-shape", "", "`--dim`, `onnx-run edit --input-shape`"},
    {"onnxsim", "initial states of zeros of recurrent operators", "drop-zero-states", ""},
    {"onnxslim", "constant folding", "fold-constants", ""},
    {"onnxslim", "dead_node_elimination", "eliminate-dead eliminate-no-op eliminate-identity", ""},
    {"onnxslim", "subexpression_elimination", "share-common-subexpressions", ""},
    {"onnxslim", "weight_tying", "share-duplicate-initializers", ""},
    {"onnxslim", "elimination: concat, reshape, slice, transpose, unsqueeze",
     "merge-concats merge-reshapes merge-slices merge-transposes merge-squeezes", ""},
    {"onnxslim", "elimination: reshape_as", "simplify-reshape", ""},
    {"onnxslim", "elimination: transpose_as_reshape, transpose_view_transpose", "cancel-transposes",
     "a Transpose that moves nothing runs as a view"},
    {"onnxslim", "fusion: convadd, convbn, convmul", "fold-scale-into-weights", ""},
    {"onnxslim", "fusion: gelu", "fuse-gelu", ""},
    {"onnxslim", "fusion: gemm", "fuse-gemm absorb-transposes", ""},
    {"onnxslim", "fusion: padconv", "fold-pads", ""},
    {"onnxslim", "fusion: reduce", "merge-reduce-unsqueeze", ""},
    {"onnxslim", "fusion: concat_reshape", "simplify-reshape", ""},
    {"ONNX Runtime",
     "EliminateIdentity, EliminateSlice, EliminateDropout, UnsqueezeElimination, ExpandElimination, CastElimination, "
     "NoopElimination",
     "eliminate-identity eliminate-no-op", ""},
    {"ONNX Runtime", "CastChainElimination, RemoveDuplicateCastTransformer", "merge-casts share-common-subexpressions",
     ""},
    {"ONNX Runtime", "PreShapeNodeElimination", "fold-constants share-equal-shapes",
     "shapes are followed through every operator"},
    {"ONNX Runtime", "CommonSubexpressionElimination, ConstantSharing",
     "share-common-subexpressions share-duplicate-initializers", ""},
    {"ONNX Runtime", "ConstantFolding", "fold-constants", ""},
    {"ONNX Runtime", "FreeDimensionOverrideTransformer", "", "`--dim`"},
    {"ONNX Runtime", "ReshapeFusion", "simplify-reshape", ""},
    {"ONNX Runtime", "TransposeOptimizer",
     "cancel-transposes cancel-transposes-around-sums reduce-untransposed merge-transposes merge-batched-transpose",
     ""},
    {"ONNX Runtime", "ConvBNFusion, ConvMulFusion, ConvAddFusion, MatMul_BatchNormalization_Fusion",
     "fold-scale-into-weights", ""},
    {"ONNX Runtime", "PadFusion", "fold-pads", ""},
    {"ONNX Runtime", "MatMulAddFusion, GemmSumFusion", "fuse-gemm", ""},
    {"ONNX Runtime", "GemmTransposeFusion, MatmulTransposeFusion", "absorb-transposes", ""},
    {"ONNX Runtime", "MatMulScaleFusion", "fold-scale-into-weights", "of constants"},
    {"ONNX Runtime", "ConvActivationFusion, ConvAddActivationFusion, GemmActivationFusion",
     "fuse-activation fuse-into-blocked-convolution", ""},
    {"ONNX Runtime", "GeluFusion, FastGeluFusion, QuickGeluFusion, BiasGeluFusion",
     "fuse-gelu fuse-gate fuse-bias-gelu", ""},
    {"ONNX Runtime", "LayerNormFusion, SimplifiedLayerNormFusion",
     "fuse-layer-normalization fuse-normalization-scale fuse-shifted-normalization", ""},
    {"ONNX Runtime", "SkipLayerNormFusion, BiasSkipLayerNormFusion", "fuse-skip-normalization", ""},
    {"ONNX Runtime", "EmbedLayerNormFusion", "fuse-embeddings", ""},
    {"ONNX Runtime", "AttentionFusion, GroupQueryAttentionFusion",
     "fuse-attention fuse-attention-mask fuse-grouped-heads fuse-attention-cache merge-heads fuse-rotary-embedding",
     ""},
    {"ONNX Runtime", "NotWhereFusion", "turn-where", ""},
    {"ONNX Runtime", "GatherToSplitFusion, GatherToSliceFusion", "merge-into-split merge-gathers-into-split",
     "of Slices, and of parts that a Reshape cuts"},
    {"ONNX Runtime", "SliceConcatToSpaceToDepthFusion", "", "of Reshape and Transpose only: fuse-depth-to-space"},
    {"ONNX Runtime", "DynamicQuantizeMatMulFusion, MatMulIntegerToFloatFusion",
     "fuse-dynamic-quantization fuse-integer-product", ""},
    {"ONNX Runtime", "QDQSelectorActionTransformer, QDQPropagationTransformer",
     "fuse-quantized fuse-dequantized-product", ""},
    {"ONNX Runtime", "ReluQuantRewrite, ClipQuantRewrite", "drop-relu-before-quantize", "of Relu"},
    {"ONNX Runtime", "BiasSoftmaxFusion", "fuse-softmax-mask", ""},
    {"ONNX Runtime", "DQMatMulNBitsFusion", "fuse-weight-only", ""},
    {"ONNX Runtime", "NchwcTransformer, NhwcTransformer", "block-channels", ""},
    {"ONNX Runtime", "BiasDropoutFusion, MatMulNBits…Fusion, Memcpy…, CastFloat16Transformer", "", "for other devices"},
};

}  // namespace onnxrun::optimize
