// Passes on float16 and bfloat16: regions that are computed in float32, and fusions that round less.
#include "base/floats.h"
#include "cpu/kernels/blocked.h"
#include "cpu/loops/block_convolution.h"
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Dim;
using ir::DType;
using ir::ValueId;
using Ints = std::vector<int64_t>;

const Dim kBatch = Dim::symbol("batch");
// Of sums of a few dozen products that are rounded to 11 bits each time, and to 8.
constexpr double kHalf = 4e-3, kBrain = 4e-2;

class NarrowFloats : public PassTest, public ::testing::WithParamInterface<DType> {
 protected:
  ValueId cast(ValueId x, DType type) { return op("Cast", {x}, {{"to", static_cast<int64_t>(type)}}); }
  ValueId narrow(ValueId x) { return cast(x, GetParam()); }
  void output_of(ValueId x) { output(cast(x, DType::kFloat32)); }
  ValueId narrow_weights(base::Dims dims) {
    const Tensor drawn = graph_.value(weights(dims)).fact.constant;
    Tensor result(GetParam(), std::move(dims));
    if (GetParam() == DType::kFloat16)
      base::convert(drawn.data<float>(), result.mutable_data<base::Float16>(), drawn.count());
    else base::convert(drawn.data<float>(), result.mutable_data<base::Bfloat16>(), drawn.count());
    return constant(std::move(result));
  }
  ValueId convolution(ValueId x, int64_t from, int64_t to) {
    return op("Conv", {x, narrow_weights({to, from, 3, 3}), narrow_weights({to})}, {{"pads", Ints(4, 1)}});
  }
  double tolerance() const { return GetParam() == DType::kFloat16 ? kHalf : kBrain; }
};

INSTANTIATE_TEST_SUITE_P(Types, NarrowFloats, ::testing::Values(DType::kFloat16, DType::kBfloat16),
                         [](const auto& one) { return std::string(base::dtype_name(one.param)); });

TEST_P(NarrowFloats, ConvolutionsAreKeptInBlocksOfFloat32) {
  if (cpu::onednn_block() == 0 && cpu::block_convolution_functions().block == 0)
    GTEST_SKIP() << "no kernels on blocked channels in this build at this instruction set level";
  const ValueId x = op("Relu", {convolution(narrow(input("x", {kBatch, 3, 12, 10})), 3, 32)});
  const ValueId y = op("Mul", {op("Add", {convolution(x, 32, 32), x}), narrow_weights({32, 1, 1})});
  output_of(op("Clip", {y, narrow_weights({}), ir::kNone}));
  rewrites("block-channels", "Cast Cast BlockedConv Relu BlockedConv Add Mul Clip FromBlocked Cast Cast", tolerance());
}

TEST_P(NarrowFloats, AConvolutionOfComputedWeightsStays) {
  const ValueId w = narrow(input("w", {32, 32, 3, 3}));
  output_of(op("Conv", {op("Relu", {narrow(input("x", {kBatch, 32, 12, 10}))}), w}, {{"pads", Ints(4, 1)}}));
  leaves("block-channels");
}

TEST_P(NarrowFloats, AttentionIsFusedInTheTypeOfItsHeads) {
  const auto heads = [&](const char* name) { return narrow(input(name, {kBatch, 2, 5, 8})); };
  const ValueId q = heads("q"), k = heads("k"), v = heads("v"), mask = narrow(input("mask", {1, 1, 5, 5}));
  const ValueId products = op("MatMul", {q, op("Transpose", {k}, {{"perm", Ints{0, 1, 3, 2}}})});
  const ValueId scores = op("Add", {op("Mul", {products, narrow(number(0.125f))}), mask});
  output_of(op("MatMul", {op("Softmax", {scores}), v}));
  rewrites("fold-constants", "Cast Cast Cast Cast Transpose MatMul Mul Add Softmax MatMul Cast", 10 * tolerance());
  rewrites("fuse-attention", "Cast Cast Cast Cast Transpose Transpose Attention Cast", 10 * tolerance());
}

TEST_P(NarrowFloats, AMaskOfAnotherTypeMakesNoAttention) {
  const auto heads = [&](const char* name) { return narrow(input(name, {kBatch, 2, 5, 8})); };
  const ValueId q = heads("q"), k = heads("k"), v = heads("v");
  const ValueId scores = cast(op("MatMul", {q, op("Transpose", {k}, {{"perm", Ints{0, 1, 3, 2}}})}), DType::kFloat32);
  const ValueId masked = op("Add", {scores, input("mask", {1, 1, 5, 5})});
  output_of(op("MatMul", {narrow(op("Softmax", {masked})), v}));
  leaves("fuse-attention");
}

TEST_P(NarrowFloats, ChainsOfElementsRoundOnce) {
  const ValueId x = narrow(input("x", {kBatch, 4, 300})), row = narrow(input("row", {300}));
  const ValueId y = op("Mul", {op("Tanh", {op("Add", {x, row})}), narrow(input("one", {1}))});
  output_of(op("Clip", {y, narrow_weights({}), ir::kNone}));
  rewrites("fuse-elementwise", "Cast Cast Cast Elementwise Cast", tolerance());
}

TEST_P(NarrowFloats, ChainsOfTwoTypesStay) {
  const ValueId x = cast(op("Tanh", {narrow(input("x", {kBatch, 4}))}), DType::kFloat32);
  output(op("Exp", {x}));
  leaves("fuse-elementwise");
}

TEST_P(NarrowFloats, ZerosAndOnesOfRowsAreNoOperands) {
  const ValueId x = narrow(input("x", {kBatch, 4}));
  Tensor zeros(GetParam(), {4});
  std::fill_n(static_cast<uint16_t*>(zeros.mutable_raw()), 4, uint16_t{0});
  output_of(op("Sub", {x, constant(std::move(zeros))}));
  rewrites("eliminate-no-op", "Cast Cast", 0);
}

// On machines that multiply bfloat16 as it is stored, only float16 is worth widening.
class WidenedHalf : public NarrowFloats {};
INSTANTIATE_TEST_SUITE_P(Types, WidenedHalf, ::testing::Values(DType::kFloat16),
                         [](const auto& one) { return std::string(base::dtype_name(one.param)); });

TEST_P(WidenedHalf, RegionsAroundProductsAreComputedInFloat32) {
  const ValueId x = narrow(input("x", {kBatch, 7, 16}));
  const ValueId y = op("Add", {op("MatMul", {x, narrow_weights({16, 32})}), narrow_weights({32})});
  const ValueId z = op("MatMul", {op("Tanh", {y}), narrow_weights({32, 16})});
  output_of(op("LayerNormalization", {op("Add", {z, x}), narrow_weights({16}), narrow_weights({16})}));
  rewrites("widen-narrow-floats", "Cast Cast WideMatMul Add Tanh WideMatMul Add LayerNormalization Identity",
           4 * tolerance());
}

TEST_P(WidenedHalf, WhatIsReadNarrowIsRoundedAtTheBorder) {
  const ValueId x = narrow(input("x", {kBatch, 7, 16}));
  const ValueId y = op("Relu", {op("MatMul", {x, narrow_weights({16, 32})})});
  output_of(op("CumSum", {y, ints({1})}));
  output_of(y);
  rewrites("widen-narrow-floats", "Cast Cast WideMatMul Relu Cast CumSum Cast Identity", 10 * tolerance());
}

TEST_P(WidenedHalf, WithoutConstantWeightsNothingIsWidened) {
  const ValueId x = narrow(input("x", {kBatch, 7, 16})), w = narrow(input("w", {16, 8}));
  output_of(op("Relu", {op("MatMul", {x, w})}));
  leaves("widen-narrow-floats");
}

TEST_P(WidenedHalf, ValuesOfUnknownRankStayNarrow) {
  const ValueId y = op("MatMul", {narrow(input("x", {kBatch, 7, 16})), narrow_weights({16, 2})});
  const ValueId places = op("Squeeze", {op("NonZero", {op("Exp", {input("one", {1})})}), ints({0})});
  output_of(op("Reshape", {op("Neg", {y}), op("Sub", {places, ints({1})})}));
  rewrites("widen-narrow-floats", "Cast Exp NonZero Squeeze Sub Cast WideMatMul Neg Cast Reshape Cast", tolerance());
}

TEST_P(WidenedHalf, AttentionThatAsksForRoundingKeepsItsType) {
  const ValueId x = narrow(input("x", {kBatch, 2, 5, 8}));
  output_of(op("Attention", {x, x, x}, {{"softmax_precision", static_cast<int64_t>(DType::kFloat16)}}));
  leaves("widen-narrow-floats");
}

}  // namespace
}  // namespace onnxrun::optimize
