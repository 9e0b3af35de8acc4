// How tf2onnx, Keras and jax2onnx spell dense layers, attention and normalizations, by hand and small.
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::ValueId;
using Ints = std::vector<int64_t>;

const Dim kBatch = Dim::symbol("batch"), kLength = Dim::symbol("length");

class Exporters : public PassTest {
 protected:
  ValueId reshape(ValueId x, Ints shape) { return op("Reshape", {x, ints(std::move(shape))}); }
  ValueId transpose(ValueId x, Ints order) { return op("Transpose", {x}, {{"perm", std::move(order)}}); }
  ValueId mean(ValueId x, Ints axes = {-1}) { return op("ReduceMean", {x, ints(std::move(axes))}); }
};

TEST_F(Exporters, ACastLikeOfAKnownTypeIsACast) {
  output(
      op("Add", {op("CastLike", {constant(base::Tensor::scalar(2.5)), input("x", {kBatch})}), input("y", {kBatch})}));
  rewrites("replace-cast-like", "Cast Add", 0);
}

TEST_F(Exporters, ACastLikeByAnotherNameStays) {
  output(op("Cast", {input("x", {kBatch})}, {{"to", static_cast<int64_t>(ir::DType::kInt32)}}));
  leaves("replace-cast-like");
}

TEST_F(Exporters, AReshapeLeavesOutWhatASqueezeTakes) {
  output(op("Squeeze", {reshape(input("x", {kBatch, 24}), {0, 4, 6, 1}), ints({-1})}));
  rewrites("merge-into-reshape", "Reshape", 0);
}

TEST_F(Exporters, AReshapePutsInWhatAnUnsqueezeAdds) {
  output(op("Unsqueeze", {reshape(input("x", {kBatch, 24}), {0, 4, 6}), ints({1, -1})}));
  rewrites("merge-into-reshape", "Reshape", 0);
}

TEST_F(Exporters, ACopiedDimKeepsItsPlace) {
  output(op("Unsqueeze", {reshape(input("x", {kBatch, 24}), {0, 4, 6}), ints({0})}));
  leaves("merge-into-reshape");
}

TEST_F(Exporters, AComputedShapeLosesItsConstantPart) {
  const ValueId x = input("x", {kBatch, kLength, 24});
  const ValueId sizes = op("Shape", {x}, {{"start", int64_t{0}}, {"end", int64_t{2}}});
  const ValueId shape = op("Concat", {sizes, ints({4, 6, 1})}, {{"axis", int64_t{0}}});
  output(op("Squeeze", {op("Reshape", {x, shape}), ints({4})}));
  rewrites("merge-into-reshape", "Shape Concat Reshape", 0);
}

TEST_F(Exporters, AComputedSizeIsNotTakenApart) {
  const ValueId x = input("x", {1, kLength, 24});
  const ValueId sizes = op("Shape", {x}, {{"start", int64_t{0}}, {"end", int64_t{2}}});
  const ValueId shape = op("Concat", {sizes, ints({4, 6})}, {{"axis", int64_t{0}}});
  output(op("Squeeze", {op("Reshape", {x, shape}), ints({0})}));
  leaves("merge-into-reshape");
}

TEST_F(Exporters, AxesForATransposeAreNotAdded) {
  const ValueId x = op("Unsqueeze", {input("x", {kBatch, 5, 3, 4}), ints({2})});
  output(reshape(transpose(x, {0, 3, 2, 4, 1}), {-1, 4, 5}));
  rewrites("merge-transposed-squeezes", "Transpose Reshape", 0);
}

TEST_F(Exporters, AxesThatAReshapeAddedForATransposeGo) {
  const ValueId x = reshape(input("x", {kBatch, 60}), {-1, 5, 1, 3, 4});
  output(op("Squeeze", {transpose(x, {0, 3, 2, 1, 4}), ints({2})}));
  rewrites("merge-transposed-squeezes", "Reshape Squeeze Transpose", 0);
}

TEST_F(Exporters, AReshapeThatCopiesAMovedDimKeepsThem) {
  const ValueId x = op("Unsqueeze", {input("x", {kBatch, 5, 3, 4}), ints({0})});
  output(reshape(transpose(x, {2, 1, 0, 3, 4}), {5, -1, 0}));
  leaves("merge-transposed-squeezes");
}

TEST_F(Exporters, HeadsMergedWithTheBatchAreSplitBeforeATranspose) {
  const ValueId x = reshape(input("x", {5, kBatch, 12}), {5, -1, 4});
  output(reshape(transpose(x, {1, 0, 2}), {-1, 3, 5, 4}));
  rewrites("split-before-transpose", "Reshape Reshape Transpose", 0);
  rewrites("merge-reshapes", "Reshape Transpose", 0);
}

TEST_F(Exporters, AxesThatMeetAfterATransposeAreNotSplitBeforeIt) {
  const ValueId x = reshape(input("x", {5, kBatch, 12}), {5, -1, 4});
  output(reshape(transpose(x, {1, 0, 2}), {-1, 5, 3, 4}));
  output(reshape(transpose(reshape(input("y", {6, 8}), {2, 3, 8}), {1, 0, 2}), {6, 2, 4}));
  leaves("split-before-transpose");
}

TEST_F(Exporters, AReductionKeepsWhatAReshapePutsBack) {
  const ValueId x = input("x", {kBatch, 4, 5, 6});
  const ValueId y = op("ReduceMean", {x, ints({2, 3})}, {{"keepdims", int64_t{0}}});
  output(reshape(y, {-1, 4, 1, 1}));
  rewrites("merge-reduce-unsqueeze", "ReduceMean", 0);
}

TEST_F(Exporters, AReshapeToOtherAxesIsNoUnsqueeze) {
  const ValueId x = input("x", {kBatch, 4, 5, 6});
  const ValueId y = op("ReduceMean", {x, ints({2, 3})}, {{"keepdims", int64_t{0}}});
  output(reshape(y, {-1, 1, 1, 4}));
  leaves("merge-reduce-unsqueeze");
}

TEST_F(Exporters, ADenseLayerMultipliesWithoutMergingRows) {
  const ValueId x = input("x", {kBatch, kLength, 8});
  const ValueId sizes = op("Shape", {x}, {{"start", int64_t{0}}, {"end", int64_t{2}}});
  const auto shape = [&](Ints last) { return op("Concat", {sizes, ints(std::move(last))}, {{"axis", int64_t{0}}}); };
  const ValueId rows = reshape(x, {-1, 8});
  output(op("Reshape", {op("MatMul", {rows, weights({8, 6})}), shape({6})}));
  // A Gemm whose weights are transposed, and whose result is split into heads.
  const ValueId turned = op("Gemm", {rows, weights({6, 8}), weights({6})}, {{"transB", int64_t{1}}});
  output(op("Reshape", {turned, shape({3, 2})}));
  const ValueId added = op("Add", {weights({6}), op("MatMul", {rows, weights({8, 6})})});
  output(op("Reshape", {added, shape({2, 3})}));
  rewrites("unmerge-batches", "MatMul Transpose MatMul Add Reshape MatMul Add Reshape");
}

TEST_F(Exporters, ADenseLayerMergesHeadsOnly) {
  const ValueId x = input("x", {kBatch, kLength, 2, 4});
  const ValueId y = op("Gemm", {reshape(x, {-1, 8}), weights({8, 6}), weights({6})});
  output(
      op("Reshape", {y, op("Concat", {op("Shape", {x}, {{"end", int64_t{2}}}), ints({6})}, {{"axis", int64_t{0}}})}));
  rewrites("unmerge-batches", "Reshape MatMul Add");
}

TEST_F(Exporters, RowsThatAreTransposedTwiceAreTransposedOnce) {
  const ValueId x = input("x", {kBatch, 5, 8});
  const ValueId packed = op("Add", {op("MatMul", {transpose(x, {1, 0, 2}), weights({8, 24})}), weights({24})});
  for (const ValueId part : op_many("Split", {packed, ints({8, 8, 8})}, 3, {{"axis", int64_t{-1}}}))
    output(transpose(op("Reshape", {part, ints({5, -1, 2, 4})}), {1, 2, 0, 3}));
  rewrites("merge-distant-transposes", "MatMul Add Split Reshape Transpose Reshape Transpose Reshape Transpose");
}

TEST_F(Exporters, RowsAreTransposedBeforeTheProductWhereTheyAreMergedForIt) {
  const ValueId x = input("x", {kBatch, 2, 5, 4});
  const ValueId rows = op("Reshape", {transpose(x, {2, 0, 1, 3}), ints({5, -1, 8})});
  output(transpose(op("Add", {op("MatMul", {rows, weights({8, 6})}), weights({6})}), {1, 0, 2}));
  rewrites("merge-distant-transposes", "Transpose Reshape MatMul Add");
}

TEST_F(Exporters, TransposesThatBothMoveRowsStay) {
  const ValueId x = input("x", {kBatch, 5, 8}), y = input("y", {kBatch, 8, 5});
  output(transpose(op("MatMul", {transpose(y, {0, 2, 1}), weights({8, 6})}), {2, 0, 1}));
  const ValueId turned = transpose(x, {1, 0, 2});
  output(transpose(op("MatMul", {turned, weights({8, 6})}), {1, 0, 2}));
  output(turned);
  output(transpose(op("Add", {transpose(x, {1, 0, 2}), input("z", {5, kBatch, 8})}), {1, 0, 2}));
  leaves("merge-distant-transposes");
}

TEST_F(Exporters, HeadsAreMultipliedWithoutMergingThem) {
  const ValueId q = transpose(input("q", {kBatch, 5, 3, 4}), {0, 2, 1, 3}),
                k = transpose(input("k", {kBatch, 7, 3, 4}), {0, 2, 3, 1});
  const ValueId scores = op("MatMul", {reshape(q, {-1, 5, 4}), reshape(k, {-1, 4, 7})});
  output(op("Squeeze", {reshape(scores, {-1, 3, 5, 7, 1}), ints({4})}));
  rewrites("unmerge-batches", "Transpose Transpose MatMul");
}

TEST_F(Exporters, HeadsThatAreReadTransposedAreTransposedOnce) {
  const ValueId p = input("p", {kBatch, 3, 5, 7});
  const ValueId v = transpose(op("Unsqueeze", {input("v", {kBatch, 7, 3, 4}), ints({2})}), {0, 3, 2, 4, 1});
  const ValueId y =
      op("FusedMatMul", {reshape(p, {-1, 5, 7}), reshape(v, {-1, 4, 7})}, {{"transB", int64_t{1}}}, "com.microsoft");
  output(reshape(y, {-1, 3, 5, 4}));
  rewrites("unmerge-batches", "Unsqueeze Transpose Squeeze MatMul");
}

TEST_F(Exporters, OtherMergedAxesStay) {
  const ValueId a = input("a", {kBatch, 3, 5, 4}), b = input("b", {3, kBatch, 4, 7});
  const ValueId y = op("MatMul", {reshape(a, {-1, 5, 4}), reshape(b, {-1, 4, 7})});
  output(reshape(y, {-1, 3, 5, 7}));
  output(reshape(op("MatMul", {reshape(a, {-1, 4}), weights({4, 6})}), {-1, 5, 18}));
  leaves("unmerge-batches");
}

TEST_F(Exporters, ASumForRowsMeetsTheProductWhateverRowsBecome) {
  const ValueId x = op("MatMul", {input("x", {15, 8}), weights({8, 6})});
  output(op("Add", {reshape(x, {3, 5, 3, 2}), weights({3, 2})}));
  rewrites("compute-before-reshape", "MatMul Add Reshape", 0);
}

TEST_F(Exporters, ASumAcrossRowsStays) {
  const ValueId x = op("MatMul", {input("x", {15, 8}), weights({8, 6})});
  output(op("Add", {reshape(x, {3, 5, 3, 2}), weights({5, 1, 1})}));
  leaves("compute-before-reshape");
}

TEST_F(Exporters, VarianceAsTheDifferenceOfMeans) {
  const ValueId x = input("x", {kBatch, 5, 8}), m = mean(x);
  const ValueId difference = op("Sub", {mean(op("Mul", {x, x})), op("Mul", {m, m})});
  const ValueId variance = op("Max", {difference, number(0)});
  output(op("Div", {op("Sub", {x, m}), op("Sqrt", {op("Add", {variance, number(1e-3f)})})}));
  rewrites("fuse-layer-normalization", "LayerNormalization", 1e-4);
}

TEST_F(Exporters, AnotherMeansSquareIsNoVariance) {
  const ValueId x = input("x", {kBatch, 5, 8}), m = mean(x), other = mean(input("y", {kBatch, 5, 8}));
  const ValueId variance = op("Sub", {mean(op("Mul", {x, x})), op("Mul", {other, other})});
  output(op("Div", {op("Sub", {x, m}), op("Sqrt", {op("Add", {variance, number(100)})})}));
  leaves("fuse-layer-normalization");
}

TEST_F(Exporters, MeansOfRowsByAPool) {
  const ValueId x = input("x", {kBatch, 5, 8}), m = op("GlobalAveragePool", {x}), centred = op("Sub", {x, m});
  const ValueId variance = op("GlobalAveragePool", {op("Mul", {centred, centred})});
  const ValueId r = op("Reciprocal", {op("Sqrt", {op("Add", {variance, number(1e-3f)})})});
  const ValueId factor = op("Mul", {r, weights({1, 1, 8})});
  const ValueId shift = op("Add", {op("Mul", {op("Neg", {m}), factor}), weights({8})});
  output(op("Add", {op("Mul", {x, factor}), shift}));
  rewrites("fuse-shifted-normalization", "LayerNormalization", 1e-4);
}

TEST_F(Exporters, APoolOverTwoAxesIsNoMeanOfRows) {
  const ValueId x = input("x", {kBatch, 5, 4, 8}), m = op("GlobalAveragePool", {x}), centred = op("Sub", {x, m});
  const ValueId variance = op("GlobalAveragePool", {op("Mul", {centred, centred})});
  output(op("Div", {centred, op("Sqrt", {op("Add", {variance, number(1e-3f)})})}));
  leaves("fuse-layer-normalization");
}

TEST_F(Exporters, ADivisorIsMultipliedWithARowFirst) {
  const ValueId x = input("x", {kBatch, 5, 8});
  const ValueId root = op("Sqrt", {op("Add", {mean(op("Mul", {x, x})), number(1e-3f)})});
  output(op("Mul", {x, op("Mul", {op("Reciprocal", {root}), weights({8})})}));
  rewrites("fuse-layer-normalization", "RMSNormalization", 1e-4);
}

TEST_F(Exporters, ADivisorMultipliedWithAColumnStays) {
  const ValueId x = input("x", {kBatch, 8, 8});
  const ValueId root = op("Sqrt", {op("Add", {mean(op("Mul", {x, x})), number(1e-3f)})});
  output(op("Mul", {x, op("Mul", {op("Reciprocal", {root}), weights({8, 1})})}));
  leaves("fuse-layer-normalization");
}

TEST_F(Exporters, AComputedShapeOfAViewOfAView) {
  const ValueId x = input("x", {kBatch, kLength, 6});
  const ValueId sizes = op("Shape", {x}, {{"start", int64_t{0}}, {"end", int64_t{2}}});
  const ValueId shape = op("Concat", {sizes, ints({3, 2})}, {{"axis", int64_t{0}}});
  output(op("Reshape", {op("Unsqueeze", {x, ints({2})}), shape}));
  rewrites("merge-reshapes", "Shape Concat Reshape", 0);
}

}  // namespace
}  // namespace onnxrun::optimize
