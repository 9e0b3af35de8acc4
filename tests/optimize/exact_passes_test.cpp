// The passes that keep every result exactly as it was.
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;

using Exact = PassTest;

const Dim kBatch = Dim::symbol("batch");

TEST_F(Exact, ConstantsBehindShapesThatAreDataFold) {
  const auto places = op("NonZero", {constant(base::Tensor::vector<float>({0, 1, 2, 0, 3}))});
  const auto column = op("Transpose", {places}, {{"perm", std::vector<int64_t>{1, 0}}});
  output(op("Add", {input("x", {1}),
                    op("Cast", {op("Concat", {column, column}, {{"axis", int64_t{1}}})}, {{"to", int64_t{1}}})}));
  rewrites("fold-constants", "Add", 0);
}

TEST_F(Exact, CastsToTheSameTypeGo) {
  const auto x = input("x", {kBatch, 4});
  output(op("Relu", {op("Cast", {x}, {{"to", int64_t{1}}})}));
  rewrites("eliminate-no-op", "Relu", 0);
}

TEST_F(Exact, CastsToAnotherTypeStay) {
  const auto x = input("x", {kBatch, 4});
  output(op("Cast", {op("Cast", {x}, {{"to", int64_t{6}}})}, {{"to", int64_t{1}}}));
  leaves("eliminate-no-op");
}

TEST_F(Exact, ReshapesToTheSameShapeGo) {
  const auto x = input("x", {kBatch, 4});
  output(op("Relu", {op("Reshape", {x, ints({0, 4})})}));
  rewrites("eliminate-no-op", "Relu", 0);
}

TEST_F(Exact, WholeSlicesGoButFlipsStay) {
  const auto x = input("x", {5, 4});
  const auto whole = op("Slice", {x, ints({0}), ints({1000}), ints({0})});
  const auto flipped = op("Slice", {whole, ints({-1}), ints({-1000}), ints({0}), ints({-1})});
  output(op("Relu", {flipped}));
  rewrites("eliminate-no-op", "Slice Relu", 0);
}

TEST_F(Exact, FactorsOfOneGoWhereTheyWidenNothing) {
  const auto x = input("x", {kBatch, 4});
  const auto same = op("Mul", {number(1), x});
  const auto wider = op("Mul", {constant(base::Tensor::scalar(1.0f).reshaped({1, 1, 1})), op("Relu", {same})});
  output(op("Relu", {wider}));
  rewrites("eliminate-no-op", "Relu Mul Relu", 0);
}

TEST_F(Exact, AddedZerosOfFloatsStay) {
  const auto x = input("x", {kBatch, 4});
  output(op("Relu", {op("Add", {x, number(0)})}));
  leaves("eliminate-no-op");
}

TEST_F(Exact, SubtractedZerosGo) {
  const auto x = input("x", {kBatch, 4});
  output(op("Relu", {op("Sub", {x, number(0)})}));
  rewrites("eliminate-no-op", "Relu", 0);
}

TEST_F(Exact, SubtractedNegativeZerosStay) {
  const auto x = input("x", {kBatch, 4});
  output(op("Relu", {op("Sub", {x, number(-0.0f)})}));
  leaves("eliminate-no-op");
}

TEST_F(Exact, PadsThatAddAndCutAsMuchStay) {
  const auto x = input("x", {4});
  output(op("Relu", {op("Pad", {x, ints({1, -1})})}));
  leaves("eliminate-no-op");
}

TEST_F(Exact, AnOutputOfTheModelKeepsItsName) {
  const auto x = input("x", {kBatch, 4});
  output(op("Cast", {x}, {{"to", int64_t{1}}}));
  leaves("eliminate-no-op");
}

TEST_F(Exact, TwoNegationsGo) {
  const auto x = input("x", {kBatch, 4});
  output(op("Relu", {op("Neg", {op("Neg", {x})})}));
  rewrites("eliminate-double-negation", "Relu", 0);
}

TEST_F(Exact, OneNegationStays) {
  const auto x = input("x", {kBatch, 4});
  output(op("Neg", {op("Abs", {op("Neg", {x})})}));
  leaves("eliminate-double-negation");
}

TEST_F(Exact, TransposesMerge) {
  const auto x = input("x", {kBatch, 2, 5});
  const auto first = op("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 2, 0}}});
  output(op("Transpose", {first}, {{"perm", std::vector<int64_t>{2, 0, 1}}}));
  rewrites("merge-transposes", "Transpose", 0);
  EXPECT_EQ(graph_.node(graph_.topological_order()[0]).attributes.get_ints("perm"), (std::vector<int64_t>{0, 1, 2}));
}

TEST_F(Exact, ATransposeThatOthersReadStays) {
  const auto x = input("x", {kBatch, 2, 5});
  const auto first = op("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 2, 0}}});
  output(op("Transpose", {first}));
  output(op("Relu", {first}));
  rewrites("merge-transposes", "Transpose Relu Transpose", 0);
}

TEST_F(Exact, ReshapesMerge) {
  const auto x = input("x", {kBatch, 2, 6});
  output(op("Reshape", {op("Flatten", {x}), ints({-1, 3, 4})}));
  rewrites("merge-reshapes", "Reshape", 0);
}

TEST_F(Exact, AReshapeThatCopiesADimStays) {
  const auto x = input("x", {kBatch, 2, 6});
  output(op("Reshape", {op("Reshape", {x, ints({6, -1})}), ints({0, 3, -1})}));
  leaves("merge-reshapes");
}

TEST_F(Exact, WhatIsComputedTwiceIsShared) {
  const auto x = input("x", {kBatch, 4});
  const auto a = op("Softmax", {x}, {{"axis", int64_t{-1}}}), b = op("Softmax", {x}, {{"axis", int64_t{-1}}});
  output(op("Add", {op("Relu", {a}), op("Relu", {b})}));
  rewrites("share-common-subexpressions", "Softmax Relu Add", 0);
}

TEST_F(Exact, OtherAttributesAreNotShared) {
  const auto x = input("x", {4, 4});
  output(op("Add", {op("Softmax", {x}, {{"axis", int64_t{0}}}), op("Softmax", {x}, {{"axis", int64_t{1}}})}));
  leaves("share-common-subexpressions");
}

TEST_F(Exact, RandomNumbersAreNotShared) {
  const auto x = input("x", {4, 4});
  output(op("Add", {op("RandomNormalLike", {x}), op("RandomNormalLike", {x})}));
  leaves("share-common-subexpressions");
}

// 17.6 MB, more than a pass may add to a model.
TEST_F(Exact, LargeConstantsAreFoldedWhereTheyDoNotGrow) {
  const auto x = input("x", {kBatch, 2100});
  output(op("MatMul", {x, op("Transpose", {weights({2100, 2100})})}));
  rewrites("fold-constants", "MatMul", 0);
}

TEST_F(Exact, LargeResultsOfSmallConstantsStay) {
  const auto x = input("x", {kBatch, 2100});
  output(op("MatMul", {x, op("Expand", {number(2), ints({2100, 2100})})}));
  leaves("fold-constants");
}

}  // namespace
}  // namespace onnxrun::optimize
