// The passes that let products and convolutions take what stands beside them: transposes, additions, pads, activations.
#include <algorithm>
#include <limits>

#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Attributes;
using ir::Dim;
using ir::ValueId;

using Products = PassTest;

const Dim kBatch = Dim::symbol("batch"), kLength = Dim::symbol("length");

Attributes perm(std::vector<int64_t> axes) { return {{"perm", std::move(axes)}}; }

TEST_F(Products, AGemmReadsWhatWasTransposed) {
  const auto a = input("a", {5, kBatch}), b = input("b", {7, 5});
  output(op("Gemm", {op("Transpose", {a}, perm({1, 0})), op("Transpose", {b}), weights({7})}, {{"alpha", 0.5f}}));
  output(op("Gemm", {op("Transpose", {a}, perm({1, 0})), op("Transpose", {b})}, {{"transB", int64_t{0}}}));
  rewrites("absorb-transposes", "Gemm Gemm");
}

TEST_F(Products, ATransposeOfATransposedOperandGoes) {
  const auto a = input("a", {kBatch, 5}), b = input("b", {5, 7});
  output(op("Gemm", {a, op("Transpose", {b}, perm({1, 0}))}, {{"transB", int64_t{1}}}));
  rewrites("absorb-transposes", "Gemm");
}

TEST_F(Products, AMatMulReadsItsRightOperandTransposed) {
  const auto a = input("a", {kBatch, 2, 4, 5}), b = input("b", {kBatch, 2, 7, 5});
  output(op("MatMul", {a, op("Transpose", {b}, perm({0, 1, 3, 2}))}));
  rewrites("absorb-transposes", "FusedMatMul");
}

TEST_F(Products, AMatMulBroadcastsWhatWasTransposed) {
  output(op("MatMul", {input("a", {kBatch, 4, 5}), op("Transpose", {input("b", {7, 5})})}));
  output(op("MatMul", {input("c", {5}), op("Transpose", {input("d", {2, 7, 5})}, perm({0, 2, 1}))}));
  rewrites("absorb-transposes", "FusedMatMul FusedMatMul");
}

// Which would otherwise be there twice.
TEST_F(Products, ALargeConstantIsReadTransposedWhereOthersReadItToo) {
  const auto tied = weights({520, 510}), own = weights({530, 510});
  output(op("Gather", {tied, ints({3, 1})}));
  output(op("MatMul", {input("a", {kBatch, 510}), op("Transpose", {tied})}));
  output(op("MatMul", {input("b", {kBatch, 510}), op("Transpose", {own})}));
  rewrites("absorb-transposes", "Gather Transpose MatMul FusedMatMul");
}

// Indices are made of floats; some lie outside, where the one-hot row is 0.
struct OneHotProducts : PassTest {
  ValueId indices(ir::Shape shape, base::DType type) {
    return op("Cast", {input(std::string(base::dtype_name(type)) + "_indices", std::move(shape))},
              {{"to", static_cast<int64_t>(type)}});
  }
  ValueId range(int32_t count, base::Dims dims) {
    Tensor tensor(base::DType::kInt32, std::move(dims));
    for (int32_t i = 0; i < count; ++i) tensor.mutable_data<int32_t>()[i] = i;
    return constant(std::move(tensor));
  }
  ValueId as_float(ValueId value) { return op("Cast", {value}, {{"to", int64_t{1}}}); }
};

TEST_F(OneHotProducts, OfComparedIndicesGather) {
  const auto x = indices({kBatch, 7, 1}, base::DType::kInt32);
  output(op("MatMul", {as_float(op("Equal", {x, range(3, {1, 1, 3})})), weights({3, 5})}));
  output(op("MatMul", {as_float(op("Equal", {range(3, {3}), x})), weights({3, 4})}));
  rewrites(
      "replace-one-hot-product",
      "Cast GreaterOrEqual Less And Where Squeeze Gather Where GreaterOrEqual Less And Where Squeeze Gather Where");
}

TEST_F(OneHotProducts, OfOneHotGather) {
  const auto x = indices({kBatch, 7}, base::DType::kInt64);
  output(op("MatMul", {as_float(op("OneHot", {x, ints({3}), ints({0, 1})})), weights({3, 5})}));
  rewrites("replace-one-hot-product", "Cast Less Add Where GreaterOrEqual Less And Where Unsqueeze Gather Where");
}

TEST_F(OneHotProducts, OfOtherRowsStay) {
  const auto x = indices({kBatch, 4, 1}, base::DType::kInt32), y = indices({kBatch, 4}, base::DType::kInt64);
  output(op("MatMul", {as_float(op("Equal", {x, range(4, {1, 4, 1})})), weights({1, 5})}));  // down the rows
  output(op("MatMul", {as_float(op("Equal", {x, range(3, {1, 1, 3})})), input("w", {3, 5})}));
  output(op("MatMul", {as_float(op("OneHot", {y, ints({4}), ints({1, 0})})), weights({4, 5})}));
  output(op("MatMul", {as_float(op("OneHot", {y, ints({3}), ints({0, 1})}, {{"axis", int64_t{1}}})), weights({4, 5})}));
  Tensor infinite = Tensor(base::DType::kFloat32, {3, 1});
  std::fill_n(infinite.mutable_data<float>(), 3, std::numeric_limits<float>::infinity());
  output(op("MatMul", {as_float(op("Equal", {x, range(3, {1, 1, 3})})), constant(std::move(infinite))}));  // NaN
  leaves("replace-one-hot-product");
}

TEST_F(Products, OtherTransposesStay) {
  const auto a = input("a", {2, 4, 5}), b = input("b", {5, 2, 7});
  output(op("MatMul", {a, op("Transpose", {b}, perm({1, 0, 2}))}));
  output(op("MatMul", {op("Transpose", {input("c", {2, 5, 4})}, perm({0, 2, 1})), input("d", {2, 5, 3})}));
  output(op("MatMul", {a, op("Transpose", {weights({7, 5})})}));  // folding transposes it
  leaves("absorb-transposes");
}

TEST_F(Products, AProductOfMatricesAndASumAreAGemm) {
  const auto x = input("x", {kBatch, 5});
  output(op("Add", {op("MatMul", {x, weights({5, 7})}), weights({7})}));
  output(op("Add", {input("c", {kBatch, 1}), op("MatMul", {x, input("w", {5, 7})})}));
  output(op("Add", {op("MatMul", {x, weights({5, 7})}), number(3)}));
  rewrites("fuse-gemm", "Gemm Gemm Gemm");
}

TEST_F(Products, SumsThatAGemmCannotMakeStay) {
  const auto x = input("x", {kBatch, 5}), y = op("MatMul", {x, weights({5, 7})});
  output(op("Add", {y, input("wide", {2, kBatch, 7})}));
  output(op("Add", {op("MatMul", {x, weights({5, 1})}), weights({7})}));  // larger than the product
  output(op("Add", {op("MatMul", {input("z", {2, 3, 5}), weights({5, 7})}), weights({7})}));
  const auto read = op("MatMul", {x, weights({5, 7})});
  output(op("Add", {read, weights({7})}));
  output(read);
  leaves("fuse-gemm");
}

TEST_F(Products, PadsGoIntoAConv) {
  const auto x = input("x", {kBatch, 3, 6, 7});
  const auto padded = op("Pad", {x, ints({0, 0, 1, 2, 0, 0, 0, 3})});
  output(op("Conv", {padded, weights({4, 3, 3, 3})}, {{"pads", std::vector<int64_t>{1, 0, 0, 1}}}));
  const auto spatial = op("Pad", {x, ints({1, 2, 3, 0}), number(0), ints({-2, 3})});
  output(op("Conv", {spatial, weights({4, 3, 3, 3})}, {{"auto_pad", std::string("VALID")}}));
  rewrites("fold-pads", "Conv Conv");
}

TEST_F(Products, PadsGoIntoPools) {
  const auto x = input("x", {kBatch, 3, 6, 7});
  const Attributes window{{"kernel_shape", std::vector<int64_t>{3, 3}}};
  output(op("AveragePool", {op("Pad", {x, ints({0, 0, 1, 2, 0, 0, 0, 1})})}, window));
  output(op("MaxPool",
            {op("Pad", {x, ints({0, 0, 1, 2, 0, 0, 0, 1}), number(-std::numeric_limits<float>::infinity())})}, window));
  rewrites("fold-pads", "AveragePool MaxPool");
}

TEST_F(Products, PadsThatCountStay) {
  const auto x = input("x", {2, 3, 6, 7});
  const auto w = weights({4, 3, 3, 3});
  const auto conv = [&](ValueId pads) { output(op("Conv", {pads, w})); };
  conv(op("Pad", {x, ints({0, 0, 1, 1, 0, 0, 1, 1}), number(1)}));
  conv(op("Pad", {x, ints({0, 0, -1, 1, 0, 0, 1, 1})}));
  conv(op("Pad", {x, ints({1, 0, 0, 0, 0, 0, 0, 0})}));
  conv(op("Pad", {x, ints({0, 0, 1, 1, 0, 0, 1, 1})}, {{"mode", std::string("reflect")}}));
  output(op("Conv", {op("Pad", {x, ints({0, 0, 1, 1, 0, 0, 1, 1})}), w}, {{"auto_pad", std::string("SAME_UPPER")}}));
  const auto padded = op("Pad", {x, ints({0, 0, 1, 1, 0, 0, 1, 1})});
  const Attributes window{{"kernel_shape", std::vector<int64_t>{3, 3}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  output(op("AveragePool", {padded}, window));
  output(op("MaxPool", {padded}, window));
  leaves("fold-pads");
}

TEST_F(Products, AConvTakesASumAndAnActivation) {
  const auto x = input("x", {2, 4, 6, 6});
  const auto conv = [&] { return op("Conv", {x, weights({4, 4, 1, 1}), weights({4})}); };
  output(op("Relu", {conv()}));
  output(op("LeakyRelu", {op("Add", {x, conv()})}, {{"alpha", 0.25f}}));
  output(op("Clip", {conv(), number(0), number(6)}));
  output(op("Add", {conv(), x}));
  rewrites("fuse-activation", "FusedConv FusedConv FusedConv FusedConv");
}

TEST_F(Products, AConvOfVariableWeightsTakesThemToo) {
  output(op("HardSigmoid", {op("Conv", {input("x", {2, 4, 6}), input("w", {3, 4, 2})})}, {{"alpha", 0.3f}}));
  output(op("Sigmoid", {op("Add", {op("Conv", {input("d", {1, 3, 6}), input("v", {3, 1, 3})}, {{"group", int64_t{3}}}),
                                   input("z", {1, 3, 4})})}));
  rewrites("fuse-activation", "FusedConv FusedConv");
}

TEST_F(Products, AGemmTakesAnActivation) {
  const auto x = input("x", {kBatch, 5});
  output(op("Relu", {op("Gemm", {x, weights({5, 7}), weights({7})})}));
  output(op("LeakyRelu", {op("Gemm", {x, weights({7, 5})}, {{"transB", int64_t{1}}})}, {{"alpha", 0.5f}}));
  output(op("Tanh", {op("Gemm", {x, input("w", {5, 2})})}));
  rewrites("fuse-activation", "FusedGemm FusedGemm FusedGemm");
}

TEST_F(Products, WhatOthersReadOrDoNotKnowStays) {
  const auto x = input("x", {2, 4, 6, 6}), y = op("Conv", {x, weights({4, 4, 1, 1})});
  output(op("Relu", {y}));
  output(y);
  output(op("Mish", {op("Conv", {x, weights({4, 4, 1, 1})})}));                        // no runtime's FusedConv
  output(op("Add", {op("Conv", {x, weights({4, 4, 1, 1})}), input("z", {4, 1, 1})}));  // broadcast
  output(op("Clip", {op("Conv", {x, weights({4, 4, 1, 1})}), number(1), number(6)}));  // excludes 0
  leaves("fuse-activation");
}

TEST_F(Products, AGeluTakesItsBias) {
  const auto x = input("x", {kBatch, kLength, 24});
  output(op("Gelu", {op("Add", {x, weights({24})})}));
  output(op("Gelu", {op("Add", {weights({24}), x})}, {{"approximate", std::string("tanh")}}));
  rewrites("fuse-bias-gelu", "BiasGelu FastGelu");
}

TEST_F(Products, ABiasThatIsNoRowStays) {
  const auto x = input("x", {kBatch, 24});
  output(op("Gelu", {op("Add", {x, number(2)})}));
  output(op("Gelu", {op("Add", {x, input("y", {kBatch, 24})})}));
  output(op("Gelu", {op("Add", {input("z", {kBatch, 1}), weights({24})})}));
  leaves("fuse-bias-gelu");
}

TEST_F(Products, ASumOfTwoIsAnAdd) {
  const auto x = input("x", {kBatch, 4}), y = input("y", {4});
  output(op("Sum", {x, y}));
  output(op("Sum", {x, y, x}));
  rewrites("simplify-sum", "Sum Add", 0);
}

TEST_F(Products, SlicesThatFollowEachOtherAreASplit) {
  const auto x = input("x", {kBatch, 7});
  output(op("Slice", {x, ints({3}), ints({-1}), ints({1})}));
  output(op("Slice", {x, ints({0}), ints({3}), ints({-1})}));
  output(op("Slice", {x, ints({6}), ints({99}), ints({1}), ints({1})}));
  rewrites("merge-into-split", "Split", 0);
}

TEST_F(Products, SlicesWithGapsStay) {
  const auto x = input("x", {kBatch, 7}), y = input("y", {6, 4});
  output(op("Slice", {x, ints({0}), ints({3}), ints({1})}));
  output(op("Slice", {x, ints({4}), ints({7}), ints({1})}));
  output(op("Slice", {y, ints({0}), ints({3}), ints({0})}));
  output(op("Slice", {y, ints({3}), ints({6}), ints({1})}));
  leaves("merge-into-split");
}

TEST_F(Products, StatesOfZerosAreLeftOut) {
  const auto x = input("x", {5, 2, 3});
  const auto zeros =
      op("ConstantOfShape",
         {op("Concat", {ints({2}), op("Shape", {x}, {{"start", int64_t{1}}, {"end", int64_t{2}}}), ints({4})},
             {{"axis", int64_t{0}}})});
  const auto state = op("Slice", {zeros, ints({0}), ints({1}), ints({0})});
  Tensor none(base::DType::kFloat32, {1, 2, 4});
  std::fill_n(none.mutable_data<float>(), none.count(), 0.0f);
  output(op("GRU", {x, weights({1, 12, 3}), weights({1, 12, 4}), ir::kNone, ir::kNone, state},
            {{"hidden_size", int64_t{4}}}));
  output(op("LSTM", {x, weights({1, 16, 3}), weights({1, 16, 4}), ir::kNone, ir::kNone, constant(none), state},
            {{"hidden_size", int64_t{4}}}));
  rewrites("drop-zero-states", "GRU LSTM", 0);
}

TEST_F(Products, OtherStatesStay) {
  const auto x = input("x", {5, 2, 3});
  const auto ones = op("ConstantOfShape", {ints({1, 2, 4})}, {{"value", Tensor::vector<float>({1})}});
  output(op("GRU", {x, weights({1, 12, 3}), weights({1, 12, 4}), ir::kNone, ir::kNone, ones},
            {{"hidden_size", int64_t{4}}}));
  output(op("RNN", {x, weights({1, 4, 3}), weights({1, 4, 4}), ir::kNone, ir::kNone, input("h", {1, 2, 4})},
            {{"hidden_size", int64_t{4}}}));
  leaves("drop-zero-states");
}

}  // namespace
}  // namespace onnxrun::optimize
