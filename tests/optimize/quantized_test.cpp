// The passes for quantised models: which nodes they leave, and what they must not touch.
#include <gtest/gtest.h>

#include <map>

#include "ir/infer.h"
#include "ops/table.h"
#include "optimize/driver.h"

namespace onnxrun::optimize {
namespace {

using base::DType;
using base::Tensor;
using ir::Fact;
using ir::ValueId;

const ir::OpTable& table() {
  static const ir::OpTable& built = *[] {
    auto* made = new ir::OpTable;
    ops::define_all(*made);
    return made;
  }();
  return built;
}

// A graph that is written node by node.
class Builder {
 public:
  ValueId input(DType type, std::vector<ir::Dim> dims) {
    return graph.add_input("", Fact::tensor(type, std::move(dims)));
  }
  ValueId scale(float value) { return graph.add_constant(Tensor::scalar<float>(value)); }
  template <class T>
  ValueId zero(T value) {
    return graph.add_constant(Tensor::scalar<T>(value));
  }
  template <class T>
  ValueId filled(base::Dims dims, T value) {
    Tensor tensor(base::dtype_of<T>, std::move(dims));
    std::fill_n(tensor.template mutable_data<T>(), tensor.count(), value);
    return graph.add_constant(std::move(tensor));
  }
  ValueId add(const char* op, std::vector<ValueId> inputs, ir::Attributes attributes = {}) {
    ir::Node node;
    node.op = table().find("", op);
    node.attributes = std::move(attributes);
    node.inputs = std::move(inputs);
    const ValueId y = graph.add_value("");
    node.outputs = {y};
    ir::infer_in_place(graph, graph.add_node(std::move(node)));
    return y;
  }
  ValueId quantized(ValueId x, float s, uint8_t z) { return add("QuantizeLinear", {x, scale(s), zero<uint8_t>(z)}); }
  ValueId dequantized(ValueId x, float s, uint8_t z) {
    return add("DequantizeLinear", {x, scale(s), zero<uint8_t>(z)});
  }

  // The operators that are left, with how often.
  std::map<std::string, int> optimized(ValueId output, int level) {
    graph.add_output(output);
    OptimizeOptions options;
    options.table = &table();
    options.level = level;
    optimize(graph, options);
    std::map<std::string, int> result;
    for (ir::NodeId id : graph.topological_order()) ++result[graph.node(id).op->full_name()];
    return result;
  }

  ir::Graph graph;
};

using Names = std::map<std::string, int>;

ValueId conv_between(Builder& b, float bias_scale, bool relu, uint8_t zero) {
  const ValueId x = b.dequantized(b.input(DType::kUint8, {1, 3, 8, 8}), 0.5f, 128);
  const ValueId w = b.add("DequantizeLinear",
                          {b.filled<int8_t>({4, 3, 3, 3}, 1), b.filled<float>({4}, 0.25f), b.filled<int8_t>({4}, 0)},
                          {{"axis", int64_t{0}}});
  const ValueId bias = b.add("DequantizeLinear",
                             {b.filled<int32_t>({4}, 7), b.filled<float>({4}, bias_scale), b.filled<int32_t>({4}, 0)},
                             {{"axis", int64_t{0}}});
  ValueId y = b.add("Conv", {x, w, bias});
  if (relu) y = b.add("Relu", {y});
  return b.quantized(y, 0.1f, zero);
}

TEST(Quantized, AConvolutionBetweenDequantizationAndQuantizationIsOne) {
  Builder b;
  EXPECT_EQ(b.optimized(conv_between(b, 0.125f, true, 0), kExtended), (Names{{"QLinearConv", 1}}));
}

TEST(Quantized, BasicLevelKeepsTheConvolution) {
  Builder b;
  EXPECT_EQ(b.optimized(conv_between(b, 0.125f, false, 0), kBasic).count("Conv"), 1u);
}

TEST(Quantized, ABiasOfAnotherScaleIsNoBiasOfTheSums) {
  Builder b;
  EXPECT_EQ(b.optimized(conv_between(b, 0.2f, false, 0), kExtended).count("Conv"), 1u);
}

TEST(Quantized, ReluStaysWhereNegativeValuesCanBeQuantized) {
  Builder b;
  EXPECT_EQ(b.optimized(conv_between(b, 0.125f, true, 3), kExtended).count("Relu"), 1u);
}

TEST(Quantized, ElementwiseAndMovementGoToBytes) {
  Builder b;
  const ValueId x = b.dequantized(b.input(DType::kUint8, {2, 3}), 0.5f, 1),
                y = b.dequantized(b.input(DType::kUint8, {2, 3}), 0.25f, 2);
  const ValueId sum = b.quantized(b.add("Add", {x, y}), 0.5f, 3);
  const ValueId moved = b.quantized(b.add("Transpose", {b.dequantized(sum, 0.5f, 3)}), 0.5f, 3);
  EXPECT_EQ(b.optimized(moved, kExtended), (Names{{"com.microsoft.QLinearAdd", 1}, {"Transpose", 1}}));
}

TEST(Quantized, ASumOfTwoIsAnAddAndOfThreeStays) {
  for (size_t count : {2u, 3u}) {
    Builder b;
    std::vector<ValueId> parts;
    for (size_t i = 0; i < count; ++i) parts.push_back(b.dequantized(b.input(DType::kUint8, {2, 3}), 0.5f, 1));
    EXPECT_EQ(b.optimized(b.quantized(b.add("Sum", parts), 0.5f, 3), kExtended).count("com.microsoft.QLinearAdd"),
              count == 2 ? 1u : 0u);
  }
}

TEST(Quantized, MovementBetweenDifferentScalesStays) {
  Builder b;
  const ValueId x = b.dequantized(b.input(DType::kUint8, {2, 3}), 0.5f, 1);
  EXPECT_EQ(b.optimized(b.quantized(b.add("Transpose", {x}), 0.25f, 1), kExtended),
            (Names{{"DequantizeLinear", 1}, {"Transpose", 1}, {"QuantizeLinear", 1}}));
}

TEST(Quantized, WhatIsReadElsewhereStays) {
  Builder b;
  const ValueId x = b.dequantized(b.input(DType::kUint8, {2, 3}), 0.5f, 1);
  const ValueId sum = b.add("Add", {x, x});
  b.graph.add_output(sum);
  EXPECT_EQ(b.optimized(b.quantized(sum, 0.5f, 3), kExtended).count("Add"), 1u);
}

TEST(Quantized, AProductOfDequantizedOperandsIsOneOnBytes) {
  Builder b;
  const ValueId a = b.dequantized(b.input(DType::kUint8, {2, 3}), 0.5f, 1);
  const ValueId w = b.add("DequantizeLinear", {b.filled<int8_t>({3, 4}, 1), b.scale(0.5f), b.zero<int8_t>(0)});
  EXPECT_EQ(b.optimized(b.add("MatMul", {a, w}), kExtended), (Names{{"com.microsoft.MatMulIntegerToFloat", 1}}));
}

// What dynamic quantisation writes, with the scales multiplied first.
ValueId dynamic_product(Builder& b, ValueId scale_of_weights) {
  const ValueId a = b.input(DType::kUint8, {2, 3}), a_scale = b.input(DType::kFloat32, {}),
                a_zero = b.input(DType::kUint8, {});
  const ValueId sums = b.add("MatMulInteger", {a, b.filled<int8_t>({3, 4}, 1), a_zero, b.zero<int8_t>(0)});
  const ValueId y =
      b.add("Mul", {b.add("Cast", {sums}, {{"to", int64_t{1}}}), b.add("Mul", {a_scale, scale_of_weights})});
  return b.add("Add", {b.filled<float>({4}, 0.5f), y});
}

TEST(Quantized, AScaledIntegerProductTakesItsScalesAndBias) {
  Builder scalar;
  EXPECT_EQ(scalar.optimized(dynamic_product(scalar, scalar.scale(0.5f)), kBasic),
            (Names{{"com.microsoft.MatMulIntegerToFloat", 1}}));
  Builder columns;
  EXPECT_EQ(columns.optimized(dynamic_product(columns, columns.filled<float>({4}, 0.5f)), kBasic),
            (Names{{"com.microsoft.MatMulIntegerToFloat", 1}}));
  Builder rows;
  EXPECT_EQ(rows.optimized(dynamic_product(rows, rows.filled<float>({2, 1}, 0.5f)), kBasic).count("MatMulInteger"), 1u);
}

}  // namespace
}  // namespace onnxrun::optimize
