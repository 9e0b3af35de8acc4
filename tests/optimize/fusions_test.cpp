// The passes that fold factors into weights and recognise operators in their formulas.
#include <cmath>

#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::ValueId;

using Fusion = PassTest;

const Dim kBatch = Dim::symbol("batch");

class FoldedScale : public PassTest {
 protected:
  ValueId batch_normalization(ValueId x, int64_t channels) {
    return op("BatchNormalization",
              {x, weights({channels}), weights({channels}), weights({channels}), weights({channels})});
  }
  ValueId convolution(ir::Attributes attributes = {}) {
    return op("Conv", {input("x", {kBatch, 4, 6, 6}), weights({8, 4, 3, 3})}, std::move(attributes));
  }
};

TEST_F(FoldedScale, BatchNormalizationOfAConv) {
  output(batch_normalization(convolution(), 8));
  rewrites("fold-scale-into-weights", "Conv", 1e-4);
}

TEST_F(FoldedScale, BatchNormalizationOfATransposedConvolutionWithGroups) {
  const auto y = op("ConvTranspose", {input("x", {kBatch, 4, 5, 5}), weights({4, 3, 2, 2}), weights({6})},
                    {{"group", int64_t{2}}});
  output(batch_normalization(y, 6));
  rewrites("fold-scale-into-weights", "ConvTranspose", 1e-4);
}

TEST_F(FoldedScale, MulAndAddOfChannelsAndNumbers) {
  const auto y = op("Mul", {weights({8, 1, 1}), convolution()});
  output(op("Add", {op("Add", {y, weights({1, 8, 1, 1})}), number(2)}));
  rewrites("fold-scale-into-weights", "Conv", 1e-4);
}

TEST_F(FoldedScale, MulAndAddAfterABatchNormalization) {
  const auto x = input("x", {kBatch, 4, 6, 6});
  const auto y = batch_normalization(x, 4);
  output(op("Add", {op("Mul", {weights({4, 1, 1}), y}), weights({1, 4, 1, 1})}));
  output(op("Mul", {batch_normalization(x, 4), number(3)}));
  rewrites("fold-scale-into-batch-normalization", "BatchNormalization BatchNormalization", 1e-4);
}

TEST_F(FoldedScale, ABatchNormalizationThatIsReadElsewhereStays) {
  const auto y = batch_normalization(input("x", {kBatch, 4, 6, 6}), 4);
  output(y);
  output(op("Mul", {y, weights({4, 1, 1})}));
  leaves("fold-scale-into-batch-normalization");
}

TEST_F(FoldedScale, GemmWithEitherOrder) {
  const auto x = input("x", {kBatch, 5});
  output(op("Add", {op("Gemm", {x, weights({5, 7})}), weights({7})}));
  output(op("Mul", {op("Gemm", {x, weights({7, 5}), weights({7})}, {{"transB", int64_t{1}}}), weights({1, 7})}));
  rewrites("fold-scale-into-weights", "Gemm Gemm", 1e-4);
}

TEST_F(FoldedScale, FactorsOfAMatMul) {
  output(op("Mul", {op("MatMul", {input("x", {kBatch, 2, 5}), weights({5, 7})}), weights({7})}));
  rewrites("fold-scale-into-weights", "MatMul", 1e-4);
}

TEST_F(FoldedScale, ResultsThatAreReadElsewhereStay) {
  const auto y = convolution();
  output(batch_normalization(y, 8));
  output(op("Relu", {y}));
  leaves("fold-scale-into-weights");
}

TEST_F(FoldedScale, RowsAreNoChannels) {
  output(op("Mul", {convolution({{"pads", std::vector<int64_t>{2, 2, 2, 2}}}), weights({8})}));  // 8 columns as well
  leaves("fold-scale-into-weights");
}

TEST_F(FoldedScale, BeforeAConv) {
  const auto x = input("x", {kBatch, 4, 6, 6});
  const auto scaled = op("Add", {op("Mul", {x, weights({4, 1, 1})}), number(0.5f)});
  output(op("Conv", {scaled, weights({8, 2, 3, 3}), weights({8})}, {{"group", int64_t{2}}}));
  rewrites("fold-input-scale-into-weights", "Conv", 1e-4);
}

TEST_F(FoldedScale, PaddedZerosAreNotShifted) {
  const auto x = input("x", {kBatch, 4, 6, 6});
  output(
      op("Conv", {op("Add", {x, number(0.5f)}), weights({8, 4, 3, 3})}, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}));
  leaves("fold-input-scale-into-weights");
}

TEST_F(Fusion, GeluInThreeSpellings) {
  const auto x = input("x", {kBatch, 4});
  const auto bracket = [&](ValueId scaled) { return op("Add", {op("Erf", {scaled}), number(1)}); };
  output(op("Mul", {op("Mul", {x, bracket(op("Div", {x, number(1.41421356f)}))}), number(0.5f)}));
  output(op("Mul", {op("Mul", {number(0.5f), x}), bracket(op("Mul", {x, number(0.70710678f)}))}));
  output(op("Mul", {x, op("Mul", {number(0.5f), bracket(op("Mul", {number(0.70710678f), x}))})}));
  rewrites("fuse-gelu", "Gelu Gelu Gelu");
}

TEST_F(Fusion, GeluByTanh) {
  const auto x = input("x", {kBatch, 4});
  const auto cube = op("Pow", {x, number(3)});
  const auto inner = op("Mul", {number(0.79788456f), op("Add", {x, op("Mul", {cube, number(0.044715f)})})});
  output(op("Mul", {op("Mul", {x, number(0.5f)}), op("Add", {op("Tanh", {inner}), number(1)})}));
  rewrites("fuse-gelu", "Gelu");
}

TEST_F(Fusion, GeluByTanhWithAFactorOutside) {
  const auto x = input("x", {kBatch, 4});
  const auto bracket = op("Add", {number(1), op("Mul", {op("Mul", {x, x}), number(0.044715f)})});
  const auto inner = op("Mul", {op("Mul", {x, number(0.79788456f)}), bracket});
  output(op("Mul", {op("Mul", {x, number(0.5f)}), op("Add", {op("Tanh", {inner}), number(1)})}));
  rewrites("fuse-gelu", "Gelu");
}

TEST_F(Fusion, NotGelu) {
  const auto x = input("x", {kBatch, 4});
  output(op("Mul", {op("Mul", {x, op("Add", {op("Erf", {op("Div", {x, number(1.5f)})}), number(1)})}), number(0.5f)}));
  leaves("fuse-gelu");
}

TEST_F(Fusion, Gates) {
  const auto x = input("x", {kBatch, 4});
  output(op("Mul", {x, op("Sigmoid", {x})}));
  output(op("Mul", {op("Sigmoid", {op("Mul", {x, number(1.702f)})}), x}));
  output(op("Mul", {x, op("HardSigmoid", {x}, {{"alpha", 1.0f / 6}, {"beta", 0.5f}})}));
  output(op("Div", {op("Mul", {x, op("Clip", {op("Add", {x, number(3)}), number(0), number(6)})}), number(6)}));
  output(op("Mul", {x, op("Tanh", {op("Softplus", {x})})}));
  rewrites("fuse-gate", "Swish Swish HardSwish HardSwish Mish");
}

TEST_F(Fusion, AGateOfSomethingElseStays) {
  const auto x = input("x", {kBatch, 4}), y = input("y", {kBatch, 4});
  output(op("Mul", {x, op("Sigmoid", {y})}));
  leaves("fuse-gate");
}

TEST_F(Fusion, AGateThatWidensStays) {
  const auto x = input("x", {kBatch, 4});
  output(op("Mul", {x, op("Sigmoid", {op("Mul", {x, constant(base::Tensor::scalar(2.0f).reshaped({1, 1, 1}))})})}));
  leaves("fuse-gate");
}

TEST_F(Fusion, HardSigmoid) {
  const auto x = input("x", {kBatch, 4});
  output(op("Div", {op("Clip", {op("Add", {x, number(3)}), number(0), number(6)}), number(6)}));
  rewrites("fuse-hard-sigmoid", "HardSigmoid");
}

TEST_F(Fusion, LayerNormalizationAndItsScale) {
  const auto x = input("x", {kBatch, 2, 8});
  const auto centred = op("Sub", {x, op("ReduceMean", {x, ints({-1})})});
  const auto variance = op("ReduceMean", {op("Pow", {centred, number(2)}), ints({-1})});
  const auto y = op("Div", {centred, op("Sqrt", {op("Add", {variance, number(1e-5f)})})});
  output(op("Add", {op("Mul", {y, weights({8})}), weights({8})}));
  rewrites("fuse-layer-normalization", "LayerNormalization Mul Add");
  rewrites("fuse-normalization-scale", "LayerNormalization");
}

TEST_F(Fusion, RmsNormalization) {
  const auto x = input("x", {kBatch, 2, 8});
  const auto mean = op("ReduceMean", {op("Mul", {x, x}), ints({2})});
  const auto y = op("Mul", {x, op("Reciprocal", {op("Sqrt", {op("Add", {mean, number(1e-6f)})})})});
  output(op("Mul", {weights({8}), y}));
  rewrites("fuse-layer-normalization", "RMSNormalization Mul");
  rewrites("fuse-normalization-scale", "RMSNormalization");
}

TEST_F(Fusion, FactorsThatAreNoRowStay) {
  const auto x = input("x", {1, 1, 0});
  output(op("Mul", {op("RMSNormalization", {x, weights({0})}), weights({1, 0, 0})}));
  leaves("fuse-normalization-scale");
}

TEST_F(Fusion, ANormalizationAlongAnotherAxisStays) {
  const auto x = input("x", {kBatch, 2, 8});
  const auto mean = op("ReduceMean", {op("Mul", {x, x}), ints({1})});
  output(op("Div", {x, op("Sqrt", {op("Add", {mean, number(1e-6f)})})}));
  leaves("fuse-layer-normalization");
}

TEST_F(Fusion, AttentionWithMask) {
  const Dim length = Dim::symbol("length");
  const auto q = input("q", {kBatch, 2, length, 4}), k = input("k", {kBatch, 2, length, 4}),
             v = input("v", {kBatch, 2, length, 4});
  const auto scores =
      op("Div", {op("MatMul", {q, op("Transpose", {k}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}})}), number(2)});
  const auto masked = op("Add", {scores, input("mask", {kBatch, 1, 1, length})});
  output(op("MatMul", {op("Softmax", {masked}, {{"axis", int64_t{-1}}}), v}));
  rewrites("fuse-attention", "Transpose Transpose Attention");
  rewrites("merge-transposes", "Transpose Attention");
}

TEST_F(Fusion, AttentionScaledOnBothSides) {
  const auto q = input("q", {kBatch, 2, 5, 4}), k = input("k", {kBatch, 2, 4, 5}), v = input("v", {kBatch, 2, 5, 4});
  const auto scores = op("MatMul", {op("Mul", {q, number(0.7f)}), op("Mul", {k, number(0.7f)})});
  output(op("MatMul", {op("Softmax", {scores}, {{"axis", int64_t{-1}}}), v}));
  rewrites("fuse-attention", "Transpose Attention");
}

TEST_F(Fusion, AttentionGuardedAgainstMaskedRows) {
  const auto q = input("q", {kBatch, 2, 5, 4}), k = input("k", {kBatch, 2, 4, 5}), v = input("v", {kBatch, 2, 5, 4});
  std::vector<float> mask(25, 0.0f);
  std::fill_n(mask.begin() + 5, 5, -INFINITY);
  const auto masked = op("Add", {op("MatMul", {q, k}), constant(base::Tensor::vector<float>(mask).reshaped({5, 5}))});
  const auto weights = op("Softmax", {masked}, {{"axis", int64_t{-1}}});
  output(op("MatMul", {op("Where", {op("IsNaN", {weights}), number(0), weights}), v}));
  rewrites("fuse-attention", "Transpose Attention");
}

TEST_F(Fusion, ScoresThatAreAnOutputStay) {
  const auto q = input("q", {kBatch, 2, 5, 4}), k = input("k", {kBatch, 2, 4, 5}), v = input("v", {kBatch, 2, 5, 4});
  const auto weights = op("Softmax", {op("MatMul", {q, k})}, {{"axis", int64_t{-1}}});
  output(op("MatMul", {weights, v}));
  output(weights);
  leaves("fuse-attention");
}

}  // namespace
}  // namespace onnxrun::optimize
