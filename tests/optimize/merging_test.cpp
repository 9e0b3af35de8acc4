// The passes that make one node of several, share what is equal and see through shapes.
#include <random>

#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Attributes;
using ir::Dim;
using ir::ValueId;

using Merging = PassTest;

const Dim kBatch = Dim::symbol("batch"), kLength = Dim::symbol("length");

Attributes axis(int64_t value) { return {{"axis", value}}; }
Attributes to(base::DType dtype) { return {{"to", static_cast<int64_t>(dtype)}}; }
Attributes perm(std::vector<int64_t> axes) { return {{"perm", std::move(axes)}}; }
Tensor flags(std::vector<bool> values) {
  Tensor tensor(base::DType::kBool, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.mutable_data<bool>());
  return tensor;
}

TEST_F(Merging, SlicesOfOtherAxesMerge) {
  const auto x = input("x", {kBatch, 6, 5});
  const auto first = op("Slice", {x, ints({1}), ints({-1}), ints({-2})});
  output(op("Slice", {first, ints({0, 4}), ints({2, 0}), ints({0, 2}), ints({1, -2})}));
  rewrites("merge-slices", "Slice", 0);
}

TEST_F(Merging, SlicesOfOneAxisOfAnyPlacesMerge) {
  std::mt19937 random(7);
  const auto x = input("x", {7});
  const auto draw = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % static_cast<uint32_t>(high - low + 1));
  };
  const auto step = [&] {
    const int64_t drawn = draw(1, 4);
    return random() % 2 == 0 ? drawn : -drawn;
  };
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const auto first = op("Slice", {x, ints({draw(-9, 9)}), ints({draw(-9, 9)}), ints({0}), ints({step()})});
    output(op("Slice", {first, ints({draw(-9, 9)}), ints({draw(-9, 9)}), ints({0}), ints({step()})}));
    expected += expected.empty() ? "Slice" : " Slice";
  }
  rewrites("merge-slices", expected, 0);
}

TEST_F(Merging, SlicesOfOneAxisOfUnknownSizeStay) {
  const auto x = input("x", {kBatch, 4});
  output(op("Slice", {op("Slice", {x, ints({1}), ints({3}), ints({0})}), ints({-1}), ints({9}), ints({0})}));
  leaves("merge-slices");
}

TEST_F(Merging, ASliceThatOthersReadStays) {
  const auto x = input("x", {6, 4});
  const auto first = op("Slice", {x, ints({1}), ints({4}), ints({0})});
  output(op("Slice", {first, ints({1}), ints({2}), ints({1})}));
  output(op("Neg", {first}));
  leaves("merge-slices");
}

TEST_F(Merging, ConcatsOfOneAxisMerge) {
  const auto x = input("x", {kBatch, 2, 3}), y = input("y", {kBatch, 4, 3});
  const auto inner = op("Concat", {x, y}, axis(-2));
  output(op("Concat", {y, inner, x}, axis(1)));
  rewrites("merge-concats", "Concat", 0);
}

TEST_F(Merging, ConcatsOfOtherAxesStay) {
  const auto x = input("x", {2, 3});
  output(op("Concat", {op("Concat", {x, x}, axis(0)), op("Concat", {x, x}, axis(0))}, axis(1)));
  leaves("merge-concats");
}

TEST_F(Merging, UnsqueezesMerge) {
  const auto x = input("x", {kBatch, 4});
  output(op("Unsqueeze", {op("Unsqueeze", {x, ints({1, -1})}), ints({0, 2})}));
  rewrites("merge-squeezes", "Unsqueeze", 0);
}

TEST_F(Merging, SqueezesMerge) {
  const auto x = input("x", {1, kBatch, 1, 4, 1});
  output(op("Squeeze", {op("Squeeze", {x, ints({2})}), ints({0, -1})}));
  rewrites("merge-squeezes", "Squeeze", 0);
}

TEST_F(Merging, WhatASqueezeUndoesGoes) {
  const auto x = input("x", {kBatch, 4});
  output(op("Relu", {op("Squeeze", {op("Unsqueeze", {x, ints({1})}), ints({-2})})}));
  rewrites("merge-squeezes", "Relu", 0);
}

TEST_F(Merging, ASqueezeOfAnotherAxisStays) {
  const auto x = input("x", {1, 4});
  output(op("Squeeze", {op("Unsqueeze", {x, ints({2})}), ints({0})}));
  leaves("merge-squeezes");
}

TEST_F(Merging, CastsThatLoseNothingGo) {
  const auto x = op("Cast", {input("x", {kBatch})}, to(base::DType::kInt32));
  output(op("Cast", {op("Cast", {x}, to(base::DType::kInt64))}, to(base::DType::kFloat32)));
  rewrites("merge-casts", "Cast Cast", 0);
}

TEST_F(Merging, CastsThatLoseSomethingStay) {
  const auto x = input("x", {kBatch});
  output(op("Cast", {op("Cast", {x}, to(base::DType::kFloat16))}, to(base::DType::kFloat32)));
  const auto wide = op("Cast", {x}, to(base::DType::kFloat64));
  // Through the wider type and without it, what is out of range may become another number.
  output(op("Cast", {wide}, to(base::DType::kInt8)));
  leaves("merge-casts");
}

TEST_F(Merging, WhatChangesItsOwnResultNoMoreGoes) {
  const auto x = input("x", {kBatch});
  output(op("Neg", {op("Floor", {op("Floor", {op("Relu", {op("Relu", {x})})})})}));
  rewrites("eliminate-repeated", "Relu Floor Neg", 0);
}

TEST_F(Merging, WhatChangesItsOwnResultStays) {
  const auto x = input("x", {kBatch});
  output(op("Neg", {op("Exp", {op("Exp", {op("Relu", {op("Floor", {op("Relu", {x})})})})})}));
  leaves("eliminate-repeated");
}

TEST_F(Merging, DropoutsOutsideTrainingGo) {
  const auto x = input("x", {kBatch, 4});
  const auto trained = op("Dropout", {x, number(0.5f), constant(Tensor::scalar(true))});
  output(op("Add", {op("Dropout", {x, number(0.5f), constant(Tensor::scalar(false))}), op("Dropout", {x})}));
  rewrites("eliminate-no-op", "Add", 0);
  output(trained);
}

TEST_F(Merging, DropoutsInTrainingStay) {
  output(op("Neg", {op("Dropout", {input("x", {4}), number(0.5f), constant(Tensor::scalar(true))})}));
  leaves("eliminate-no-op");
}

TEST_F(Merging, ChoicesThatAreKnownGo) {
  const auto x = input("x", {kBatch, 2}), y = input("y", {kBatch, 2});
  const auto a = op("Where", {constant(flags({true, true})), x, y});
  const auto b = op("Where", {constant(flags({false})), x, y});
  const auto less = op("And", {op("Less", {x, y}), constant(flags({true}))});
  output(op("Add", {op("Sub", {a, b}), op("Cast", {less}, to(base::DType::kFloat32))}));
  rewrites("eliminate-no-op", "Less Sub Cast Add", 0);
}

TEST_F(Merging, ChoicesOfSomeElementsOrThatWidenStay) {
  const auto x = input("x", {1, 2}), y = input("y", {1, 2});
  output(op("Where", {constant(flags({true, false})), x, y}));
  output(op("Neg", {op("Where", {constant(flags({true}).reshaped({1, 1, 1})), x, y})}));
  leaves("eliminate-no-op");
}

TEST_F(Merging, ShapesThatAreComputedBecomeConstants) {
  const auto x = input("x", {kBatch, kLength, 12});
  const auto shape = op("Shape", {x});
  const auto heads = op("Concat", {op("Slice", {shape, ints({0}), ints({2})}), ints({3, 4})}, axis(0));
  const auto flat = op("Concat", {op("ReduceProd", {op("Slice", {shape, ints({0}), ints({2})})}), ints({12})}, axis(0));
  output(op("Reshape", {x, heads}));
  output(op("Reshape", {x, flat}));
  rewrites("simplify-reshape", "Reshape Reshape", 0);
}

TEST_F(Merging, ShapesOfTwoOpenDimsStay) {
  const auto x = input("x", {kBatch, kLength, 4});
  const auto swapped = op("Gather", {op("Shape", {x}), ints({1, 0, 2})});
  output(op("Reshape", {x, swapped}));
  leaves("simplify-reshape");
}

TEST_F(Merging, AnOpenDimBesideACopiedOneStays) {
  const auto x = input("x", {kBatch, kLength, 4});
  const auto shape = op("Shape", {x});
  const auto both = op("Mul", {op("Slice", {shape, ints({1}), ints({2})}), ints({4})});
  output(op("Reshape", {x, op("Concat", {op("Slice", {shape, ints({0}), ints({1})}), both}, axis(0))}));
  leaves("simplify-reshape");
}

TEST_F(Merging, ReshapesMergeThroughDimsThatTheViewKeeps) {
  const auto x = input("x", {kBatch, 2, 6});
  output(op("Reshape", {op("Reshape", {x, ints({0, 12})}), ints({0, 3, 4})}));
  rewrites("merge-reshapes", "Reshape", 0);
}

TEST_F(Merging, EqualShapesAreComputedOnce) {
  const auto x = input("x", {kBatch, 4});
  const auto a = op("Shape", {op("Relu", {x})}), b = op("Shape", {op("Neg", {x})});
  const auto z = input("z", {1});
  output(op("Add", {op("Expand", {z, a}), op("Expand", {z, b})}));
  rewrites("share-equal-shapes", "Relu Shape Expand Expand Add", 0);
}

TEST_F(Merging, OtherShapesAreNot) {
  const auto z = input("z", {1});
  const auto a = op("Shape", {input("x", {kBatch, 4})}), b = op("Shape", {input("y", {kLength, 4})});
  output(op("Expand", {z, a}));
  output(op("Expand", {z, b}));
  output(op("Expand", {z, op("Cast", {a}, to(base::DType::kInt64))}));
  rewrites("share-equal-shapes", "Shape Shape Expand Expand Expand", 0);
}

TEST_F(Merging, EqualConstantsAreKeptOnce) {
  const auto x = input("x", {kBatch, 2});
  const auto a = constant(Tensor::vector<float>({1, 2})), b = constant(Tensor::vector<float>({1, 2}));
  const auto other = constant(Tensor::vector<float>({1, 3})),
             row = constant(Tensor::vector<float>({1, 2}).reshaped({1, 2}));
  output(op("Add", {op("Add", {x, a}), op("Mul", {op("Sub", {x, b}), op("Div", {x, op("Mul", {other, row})})})}));
  rewrites("share-duplicate-initializers", "Add Sub Mul Div Mul Add", 0);
  EXPECT_EQ(graph_.value(a).consumers.size(), 2u);
  EXPECT_TRUE(graph_.value(b).removed);
  EXPECT_FALSE(graph_.value(row).removed) << "another shape";
  EXPECT_FALSE(graph_.value(other).removed);
}

TEST_F(Merging, LargeConstantsThatDifferInOneElementAreKept) {
  Tensor one(base::DType::kFloat32, {4096});
  std::fill_n(one.mutable_data<float>(), 4096, 1.5f);
  Tensor two(base::DType::kFloat32, {4096});
  std::fill_n(two.mutable_data<float>(), 4096, 1.5f);
  two.mutable_data<float>()[1000] = 1;
  const auto a = constant(one), b = constant(two);
  output(op("Add", {op("Add", {input("x", {4096}), a}), b}));
  leaves("share-duplicate-initializers");
}

TEST_F(Merging, UnreadConstantsGo) {
  const auto x = input("x", {kBatch, 2});
  const auto unread = constant(Tensor::vector<float>({1, 2})), read = number(2), given = number(3);
  output(op("Mul", {x, read}));
  output(given);
  rewrites("eliminate-unused-initializers", "Mul", 0);
  EXPECT_TRUE(graph_.value(unread).removed);
  EXPECT_FALSE(graph_.value(read).removed);
  EXPECT_FALSE(graph_.value(given).removed);
}

TEST_F(Merging, TransposesAroundElementwiseNodesCancel) {
  const auto x = input("x", {kBatch, 3, 4, 5}), y = input("y", {kBatch, 3, 4, 5});
  const auto a = op("Transpose", {x}, perm({0, 2, 3, 1})), b = op("Transpose", {y}, perm({0, 2, 3, 1}));
  const auto sum = op("Add", {op("Tanh", {a}), op("Mul", {b, weights({3})})});
  const auto bounded = op("Clip", {sum, number(-1), number(2)});
  output(op("Relu", {op("Transpose", {op("Mul", {bounded, number(3)})}, perm({0, 3, 1, 2}))}));
  rewrites("cancel-transposes", "Tanh Transpose Mul Add Clip Mul Relu", 0);
}

TEST_F(Merging, ATransposeThatOthersReadStaysWhereItIs) {
  const auto x = input("x", {2, 3, 4});
  const auto a = op("Transpose", {x}, perm({1, 2, 0}));
  output(op("Transpose", {op("Relu", {a})}, perm({2, 0, 1})));
  output(op("Neg", {a}));
  rewrites("cancel-transposes", "Transpose Neg Relu", 0);
}

TEST_F(Merging, TransposesThatDoNotUndoEachOtherStay) {
  const auto x = input("x", {3, 3, 3});
  output(op("Transpose", {op("Relu", {op("Transpose", {x}, perm({1, 2, 0}))})}, perm({1, 2, 0})));
  leaves("cancel-transposes");
}

TEST_F(Merging, TransposesAroundWhatOthersReadStay) {
  const auto x = input("x", {2, 3, 4});
  const auto between = op("Relu", {op("Transpose", {x}, perm({1, 2, 0}))});
  output(op("Transpose", {between}, perm({2, 0, 1})));
  output(op("Neg", {between}));
  leaves("cancel-transposes");
}

TEST_F(Merging, TransposesAroundConcatsAndExtremesCancel) {
  const auto a = op("Transpose", {input("a", {2, 3, 4, 5})}, perm({0, 2, 3, 1})),
             b = op("Transpose", {input("b", {2, 1, 4, 5})}, perm({0, 2, 3, 1}));
  output(op("Transpose", {op("Concat", {a, op("Relu", {b})}, axis(3))}, perm({0, 3, 1, 2})));
  output(op("Transpose", {op("ReduceMax", {op("Transpose", {input("c", {2, 3, 4})}, perm({1, 2, 0})), ints({-1, 0})})},
            perm({2, 0, 1})));
  rewrites("cancel-transposes", "Relu Concat ReduceMax", 0);
}

TEST_F(Merging, TransposesAroundSumsCancelAtLevelTwo) {
  const auto x = input("x", {2, 3, 4, 5});
  const auto turned = [&] { return op("Transpose", {x}, perm({0, 2, 3, 1})); };
  output(op("Transpose", {op("Softmax", {turned()}, axis(-1))}, perm({0, 3, 1, 2})));
  output(op("Transpose", {op("ReduceMean", {turned(), ints({1, 2})})}, perm({0, 3, 1, 2})));
  leaves("cancel-transposes");
  rewrites("cancel-transposes-around-sums", "Softmax ReduceMean");
}

TEST_F(Merging, TransposesAroundOtherNodesStay) {
  const auto x = input("x", {4, 4});
  output(op("Transpose", {op("CumSum", {op("Transpose", {x}), ints({1})})}));
  output(op("Transpose", {op("MatMul", {op("Transpose", {x}), x})}));
  leaves("cancel-transposes-around-sums");
}

TEST_F(Merging, AxesThatComeAndGoAreNotTransposed) {
  const auto wide = op("Unsqueeze", {input("x", {2, 3, 4, 5}), ints({0})});
  output(op("Squeeze", {op("Transpose", {wide}, perm({3, 1, 2, 0, 4})), ints({3})}));
  const auto two = op("Unsqueeze", {input("y", {2, 3}), ints({1, -1})});
  output(op("Squeeze", {op("Transpose", {two}, perm({3, 2, 1, 0})), ints({0, 2})}));
  rewrites("merge-transposed-squeezes", "Transpose Transpose", 0);
}

TEST_F(Merging, OtherAxesThatAreSqueezedStay) {
  const auto wide = op("Unsqueeze", {input("x", {2, 1, 4}), ints({0})});
  output(op("Squeeze", {op("Transpose", {wide}, perm({2, 1, 0, 3})), ints({0})}));
  leaves("merge-transposed-squeezes");
}

TEST_F(Merging, GathersOfPartsAreASplit) {
  const auto packed =
      op("Transpose", {op("Reshape", {input("x", {4, 2, 12}), ints({4, 2, 3, 4})})}, perm({2, 0, 1, 3}));
  for (const int64_t part : {0, -1, 1}) output(op("Gather", {packed, constant(Tensor::scalar(part))}));
  const auto rows = op("Reshape", {input("y", {6, 5}), ints({2, 3, 5})});
  for (const int64_t part : {1, 0}) output(op("Gather", {rows, constant(Tensor::scalar(part))}));
  rewrites("merge-gathers-into-split", "Split Split", 0);
}

TEST_F(Merging, GathersOfSomePartsOrOtherAxesStay) {
  const auto x = input("x", {4, 2, 12});
  const auto cut = [&] { return op("Reshape", {x, ints({4, 2, 3, 4})}); };
  const auto take = [&](ValueId of, int64_t part, int64_t along) {
    output(op("Gather", {of, constant(Tensor::scalar(part))}, axis(along)));
  };
  const auto some = cut(), others = cut(), turned = op("Transpose", {cut()}, perm({2, 1, 0, 3}));
  for (const int64_t part : {0, 1, 1}) take(some, part, 2);
  for (const int64_t part : {0, 1, 2}) take(others, part, 3);
  for (const int64_t part : {0, 1, 2}) take(turned, part, 0);
  leaves("merge-gathers-into-split");
}

TEST_F(Merging, ConstantsOfHeadsMeetTheProduct) {
  const auto split = [&](ValueId x) { return op("Reshape", {x, ints({0, 0, 2, 4})}); };
  const auto negated = [&](const char* name) { return op("Neg", {input(name, {kBatch, 3, 8})}); };
  output(op("Mul", {op("Add", {split(negated("x")), weights({2, 4})}), number(3)}));
  output(op("Sub", {weights({1, 2, 4}), split(negated("y"))}));
  rewrites("compute-before-reshape", "Neg Neg Add Mul Reshape Sub Reshape", 0);
}

TEST_F(Merging, OtherConstantsStayAfterAReshape) {
  const auto x = op("Neg", {input("x", {2, 3, 8})});
  output(op("Add", {op("Reshape", {op("Relu", {x}), ints({0, 0, 2, 4})}), weights({4})}));
  output(op("Add", {op("Reshape", {op("Abs", {x}), ints({0, 0, 2, 4})}), weights({3, 2, 4})}));
  output(op("Add", {op("Reshape", {op("Exp", {x}), ints({2, 2, 3, 4})}), weights({3, 4})}));
  const auto split = op("Reshape", {op("Tanh", {x}), ints({0, 0, 2, 4})});
  output(split);
  output(op("Add", {split, number(1)}));
  leaves("compute-before-reshape");
}

TEST_F(Merging, ReductionsReadWhatIsNotTransposed) {
  const auto x = op("Transpose", {input("x", {2, 3, 4, 5})}, perm({0, 2, 3, 1}));
  output(op("ReduceMean", {x, ints({1, 2})}, {{"keepdims", int64_t{0}}}));
  output(op("ReduceMax", {x, ints({-1, 1})}, {{"keepdims", int64_t{0}}}));
  rewrites("reduce-untransposed", "ReduceMean ReduceMax");
}

TEST_F(Merging, ReductionsThatLeaveExchangedAxesStay) {
  const auto x = op("Transpose", {input("x", {2, 3, 4, 5})}, perm({0, 2, 3, 1}));
  output(op("ReduceMean", {x, ints({1})}, {{"keepdims", int64_t{0}}}));
  output(op("ReduceMean", {x, ints({1, 2})}));
  leaves("reduce-untransposed");
}

}  // namespace
}  // namespace onnxrun::optimize
