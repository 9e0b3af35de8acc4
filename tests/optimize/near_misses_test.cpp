// Graphs that are almost what a pass looks for: of another rank, of broadcasting operands, of integers, of numbers at the ends of their range, or read where
// the pass would put its result.
#include <cmath>
#include <limits>

#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Dim;
using ir::ValueId;

const Dim kBatch = Dim::symbol("batch");
const ir::Attributes kExchanged = {{"perm", std::vector<int64_t>{0, 2, 1, 3}}};

class NearMiss : public PassTest {
 protected:
  // A number that has axes of size 1.
  ValueId axes_of(float value, base::Dims dims) { return constant(Tensor::scalar(value).reshaped(std::move(dims))); }
  ValueId whole_numbers(const std::string& name, ir::Shape shape, ir::DType type) {
    return op("Cast", {op("Round", {input(name, std::move(shape))})}, {{"to", static_cast<int64_t>(type)}});
  }
  ValueId bytes(const std::string& name, ir::Shape shape) {
    return op("QuantizeLinear", {input(name, std::move(shape)), number(0.05f), constant(Tensor::scalar<uint8_t>(99))});
  }
  ValueId gelu_by_tanh(ValueId x, ValueId cube) {
    const auto inner = op("Mul", {number(0.79788456f), op("Add", {x, cube})});
    return op("Mul", {op("Mul", {x, number(0.5f)}), op("Add", {op("Tanh", {inner}), number(1)})});
  }
  ValueId mean(ValueId x, std::vector<int64_t> axes) { return op("ReduceMean", {x, ints(std::move(axes))}); }
  ValueId deviation(ValueId of, std::vector<int64_t> axes, ValueId epsilon) {
    return op("Sqrt", {op("Add", {mean(op("Mul", {of, of}), std::move(axes)), epsilon})});
  }
};

TEST_F(NearMiss, FactorsThatMakeChannelsOfOneStay) {
  const auto x = input("x", {kBatch, 1, 5, 5});
  output(op("Conv", {op("Mul", {x, weights({3, 1, 1})}), weights({4, 3, 3, 3})}));
  output(op("Conv", {op("Add", {x, weights({1, 3, 1, 1})}), weights({6, 1, 3, 3})}, {{"group", int64_t{3}}}));
  const auto open = input("open", {kBatch, Dim::symbol("channels"), 5, 5});
  output(op("Conv", {op("Mul", {open, weights({3, 1, 1})}), weights({4, 3, 3, 3})}));
  leaves("fold-input-scale-into-weights");
}

TEST_F(NearMiss, FactorsThatGrowBeyondFloatsAreNotFolded) {
  const auto x = op("Mul", {input("x", {kBatch, 2, 5, 5}), number(1e-30f)});
  const auto large = weights({3, 2, 3, 3}, 1e30f);
  output(op("Mul", {op("Conv", {x, large}), number(1e30f)}));
  output(op("Conv", {op("Mul", {op("Neg", {x}), weights({2, 1, 1}, 1e30f)}), large}));
  output(op("Mul", {op("Conv", {x, weights({3, 2, 3, 3})}), number(std::numeric_limits<float>::infinity())}));
  leaves("fold-scale-into-weights", 1e-4);
  leaves("fold-input-scale-into-weights", 1e-4);
}

TEST_F(NearMiss, AMaskOfOneColumnHidesNoKeys) {
  const auto q = input("q", {kBatch, 2, 3, 4}), k = input("k", {kBatch, 2, 5, 4}), v = input("v", {kBatch, 2, 5, 4});
  const auto scores = [&] {
    return op("MatMul", {q, op("Transpose", {k}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}})});
  };
  const auto attended = [&](ValueId masked) { return op("MatMul", {op("Softmax", {masked}), v}); };
  output(attended(op("Add", {scores(), input("rows", {3, 1})})));
  const auto chosen = op("Greater", {input("chosen", {kBatch, 1, 3, 1}), number(-9)});
  output(attended(op("Where", {chosen, scores(), number(-std::numeric_limits<float>::infinity())})));
  leaves("fuse-attention");
}

TEST_F(NearMiss, TablesOfAnotherWidthStay) {
  const auto ids = op("Abs", {whole_numbers("ids", {kBatch, 5}, ir::DType::kInt64)});
  const auto sum = op("Add", {op("Gather", {weights({9, 8}), ids}), op("Gather", {weights({9, 1}), ids})});
  output(op("LayerNormalization", {sum, weights({8}), weights({8})}));
  leaves("fuse-embeddings");
}

TEST_F(NearMiss, QuotientsOfIntegersAreNoProducts) {
  const auto whole = [&](int32_t value) { return constant(Tensor::scalar<int32_t>(value)); };
  const auto x = whole_numbers("x", {kBatch, 8}, ir::DType::kInt32);
  const auto clipped = [&] { return op("Clip", {op("Add", {x, whole(3)}), whole(0), whole(6)}); };
  output(op("Div", {clipped(), whole(6)}));
  output(op("Div", {op("Mul", {x, clipped()}), whole(6)}));
  leaves("fuse-hard-sigmoid");
  leaves("fuse-gate");
}

TEST_F(NearMiss, NumbersOffByMoreThanTheirDigitsStay) {
  const auto x = input("x", {kBatch, 8});
  const auto cube = op("Mul", {op("Pow", {x, number(3)}), number(0.0447f)});
  output(gelu_by_tanh(x, cube));
  const auto bracket = op("Add", {op("Erf", {op("Mul", {x, number(0.70710678f)})}), number(1)});
  output(op("Mul", {op("Mul", {x, number(0.500004f)}), bracket}));
  output(op("Mul",
            {op("Mul", {x, number(0.5f)}), op("Add", {op("Erf", {op("Mul", {x, number(0.707113f)})}), number(1)})}));
  leaves("fuse-gelu");
  output(op("Mul", {x, op("HardSigmoid", {x}, {{"alpha", 0.1667f}, {"beta", 0.5f}})}));
  leaves("fuse-gate");
}

TEST_F(NearMiss, AGeluWhoseCubeIsReadElsewhereStays) {
  const auto x = input("x", {kBatch, 4});
  const auto cube = op("Mul", {op("Pow", {x, number(3)}), number(0.044715f)});
  output(gelu_by_tanh(x, cube));
  output(cube);
  leaves("fuse-gelu");
}

TEST_F(NearMiss, NumbersThatAddAxesToANormalizationStay) {
  const auto x = input("x", {kBatch, 3, 8});
  const auto centred = op("Sub", {x, mean(x, {-1})});
  output(op("Div", {centred, deviation(centred, {-1}, axes_of(1e-3f, {1, 1, 1, 1}))}));
  const auto reciprocal = op("Reciprocal", {deviation(x, {-1}, number(1e-3f))});
  output(op("Mul", {x, op("Mul", {reciprocal, weights({1, 1, 1, 8})})}));
  leaves("fuse-layer-normalization");
  const auto image = input("image", {kBatch, 3, 4, 5});
  const auto around = op("Sub", {image, mean(image, {2, 3})});
  output(op("Div", {around, deviation(around, {2, 3}, axes_of(1e-3f, {1, 1, 1, 1, 1}))}));
  leaves("fuse-instance-normalization");
}

TEST_F(NearMiss, ScalesThatAddAxesToAProductStay) {
  const auto w = constant(Tensor::vector<int8_t>({1, 2, 3, 4, 5, 6, 7, 8}).reshaped({4, 2}));
  const auto scaled = [&](ValueId x, base::Dims left) {
    const auto sums = op("Cast", {op("MatMulInteger", {x, w})}, {{"to", int64_t{1}}});
    return op("Mul", {sums, op("Mul", {axes_of(0.5f, std::move(left)), weights({2})})});
  };
  output(scaled(bytes("rows", {kBatch, 4}), {1, 1, 1}));
  output(scaled(bytes("row", {4}), {1, 1}));
  leaves("fuse-integer-product");
}

TEST_F(NearMiss, ZeroPointsOfEachMatrixStay) {
  Tensor w(base::DType::kInt8, {2, 4, 2}), zeros(base::DType::kInt8, {2, 1, 2});
  for (int8_t i = 0; i < 16; ++i) w.mutable_data<int8_t>()[i] = i;
  for (int8_t i = 0; i < 4; ++i) zeros.mutable_data<int8_t>()[i] = i;
  const auto sums = op("MatMulInteger", {bytes("x", {kBatch, 4}), constant(w), ir::kNone, constant(zeros)});
  output(op("Mul", {op("Cast", {sums}, {{"to", int64_t{1}}}), number(0.5f)}));
  leaves("fuse-integer-product");
}

TEST_F(NearMiss, ANormalizationWhoseScaleComesFromItsSumStays) {
  const auto sum = op("Add", {input("a", {4, 8}), input("b", {4, 8})});
  const auto scale = op("ReduceMax", {sum, ints({0})}, {{"keepdims", int64_t{0}}});
  output(op("LayerNormalization", {sum, scale}));
  output(op("LayerNormalization", {sum, weights({8}), scale}));
  leaves("fuse-skip-normalization");
}

TEST_F(NearMiss, KeysThatAreTurnedByValuesStay) {
  const auto heads = [&](const std::string& name) {
    const auto split = op("Reshape", {input(name, {kBatch, 5, 8}), ints({0, 0, 2, 4})});
    return op("Transpose", {split}, kExchanged);
  };
  const auto q = heads("q"), k = heads("k"), v = heads("v");
  const auto angles = op("Squeeze", {op("Slice", {v, ints({0, 0}), ints({1, 2}), ints({1, 3})}), ints({1})});
  const auto turned = op("RotaryEmbedding", {k, op("Cos", {angles}), op("Sin", {angles})});
  const auto y = op("Transpose", {op("Attention", {q, turned, v})}, kExchanged);
  output(op("Reshape", {y, ints({0, 0, 8})}));
  leaves("merge-heads");
}

TEST_F(NearMiss, SizesThatAFactorKeepsAreResized) {
  const auto x = op("Relu", {input("x", {kBatch, 3, 4, 4})});
  const auto scales = constant(Tensor::vector<float>({1, 1, 1.2f, 1.2f}));
  const ir::Attributes floor = {{"nearest_mode", std::string("floor")},
                                {"coordinate_transformation_mode", std::string("asymmetric")}};
  output(op("Neg", {op("Resize", {x, ir::kNone, scales}, floor)}));
  leaves("eliminate-no-op");
}

TEST_F(NearMiss, BytesOfScalesThatTurnOrLoseThemStay) {
  for (const float scale : {-0.5f, 0.0f, 3e38f, 1e-40f, std::numeric_limits<float>::infinity()}) {
    const auto x = bytes("", {1, 2, 4, 4});
    const auto zero = constant(Tensor::scalar<uint8_t>(99));
    const auto y = op("MaxPool", {op("DequantizeLinear", {x, number(scale), zero})},
                      {{"kernel_shape", std::vector<int64_t>{2, 2}}});
    output(op("QuantizeLinear", {y, number(scale), zero}));
  }
  leaves("fuse-quantized");
}

TEST_F(NearMiss, ScalesOfTwoAxesStay) {
  const auto scale = [&] { return axes_of(0.05f, {1, 1}); };
  const auto w = op("DequantizeLinear", {constant(Tensor::vector<int8_t>({1, 2, 3, 4}).reshaped({2, 2})), scale()});
  const auto y = op("MatMul", {op("DequantizeLinear", {bytes("x", {kBatch, 2}), scale()}), w});
  output(op("QuantizeLinear", {y, scale()}));
  leaves("fuse-quantized");
}

TEST_F(NearMiss, ZeroPointsOfTwoAxesStay) {
  const auto zero = [&] { return constant(Tensor::scalar<uint8_t>(99).reshaped({1, 1})); };
  const auto x = op("DequantizeLinear", {bytes("x", {kBatch, 2}), number(0.05f), zero()});
  const auto w =
      op("DequantizeLinear", {constant(Tensor::vector<int8_t>({1, 2, 3, 4}).reshaped({2, 2})), number(0.1f)});
  output(op("QuantizeLinear", {op("MatMul", {x, w}), number(0.05f), zero()}));
  leaves("fuse-quantized");
}

TEST_F(NearMiss, ATruthOfMoreAxesThanItIsRepeatedToStays) {
  const auto x = input("x", {kBatch, 2, 5});
  const auto truths = op("Expand", {constant(Tensor::scalar(true).reshaped({1, 1, 1, 1})), op("Shape", {x})});
  output(op("And", {truths, op("Less", {input("row", {5}), number(0)})}));
  leaves("drop-broadcasts");
}

TEST_F(NearMiss, AnyFlagButZeroTransposesWeights) {
  const auto rows = op("Reshape", {input("x", {kBatch, 4, 8}), ints({-1, 8})});
  const auto y = op("Gemm", {rows, weights({8, 8}), weights({8})}, {{"transB", int64_t{3}}});
  output(op("Reshape", {y, ints({-1, 4, 8})}));
  rewrites("unmerge-batches", "Transpose MatMul Add");
}

TEST_F(NearMiss, ATransposeOfAnUnknownRankStaysBeforeASplit) {
  const auto sizes = op("Round", {op("Abs", {op("Mul", {input("sizes", {Dim::symbol("axes")}), number(0)})})});
  const auto shape = op("Cast", {op("Add", {sizes, number(4)})}, {{"to", static_cast<int64_t>(ir::DType::kInt64)}});
  const auto x = op("Reshape", {input("x", {64}), shape});  // [4,4,4]
  ASSERT_EQ(graph_.value(x).fact.rank(), -1);
  const ir::Attributes turned = {{"perm", std::vector<int64_t>{1, 0, 2}}};
  const auto parts = op_many("Split", {op("Transpose", {x}, turned), ints({1, 3})}, 2, {{"axis", int64_t{-1}}});
  for (const auto part : parts) output(op("Transpose", {part}, turned));
  leaves("merge-distant-transposes");
}

TEST_F(NearMiss, AResizeOfChannelsIsNotBlocked) {
  const auto convolved = op("Conv", {input("x", {1, 16, 8, 8}), weights({16, 16, 3, 3}, 0.02f)});
  const auto same = op("Resize", {convolved, ir::kNone, constant(Tensor::vector<float>({1}))},
                       {{"mode", std::string("linear")}, {"axes", std::vector<int64_t>{1}}});
  output(op("Relu", {op("Conv", {same, weights({16, 16, 3, 3}, 0.02f)})}));
  leaves("block-channels", 1e-4);
}

}  // namespace
}  // namespace onnxrun::optimize
