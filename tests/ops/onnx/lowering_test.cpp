// Lowerings: what single nodes become at older opsets, and what is refused with its reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "import/lower.h"
#include "ir/text.h"
#include "ops/older_signatures.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Tensor;
using ir::Dim;
using ir::DType;
using ir::Fact;
using ::testing::HasSubstr;

// A graph of one node with inputs x0, x1, ... of these facts and outputs y0, y1, ...
struct OneNode {
  ir::Graph graph;
  explicit OneNode(const char* op, std::vector<Fact> inputs, ir::Attributes attributes = {}, size_t outputs = 1) {
    graph.name = "g";
    ir::Node node;
    node.op = all_operators().find("", op);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::string name = fmt::format("x{}", i);
      if (inputs[i].kind == ir::TypeKind::kUnknown) node.inputs.push_back(ir::kNone);
      else if (inputs[i].constant) node.inputs.push_back(graph.add_constant(inputs[i].constant, name));
      else node.inputs.push_back(graph.add_input(name, inputs[i]));
    }
    for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
    node.attributes = std::move(attributes);
    const std::vector<ir::ValueId> made = node.outputs;
    ir::infer_in_place(graph, graph.add_node(std::move(node)));
    for (const ir::ValueId id : made) graph.add_output(id);
  }
  // The nodes after lowering, or the reason why not.
  std::string at(int64_t opset, bool decompose = false) {
    const auto obstacle = import::lower_graph(graph, {&all_operators(), {{"", opset}}, decompose, false});
    if (obstacle) return "refused: " + obstacle->why;
    std::string text;
    for (const ir::NodeId id : graph.topological_order()) text += ir::to_text(graph, graph.node(id));
    return text;
  }
};

Fact float32(ir::Shape shape) { return Fact::tensor(DType::kFloat32, std::move(shape)); }

TEST(Lowering, EveryLiftHasOne) {
  // Those that no canonical graph has: they are lifted to others.
  const std::set<std::string> kNeverCanonical = {"Constant", "Scatter", "Upsample"};
  for (const ir::OpDef* op : all_operators().all()) {
    if (op->lift && op->versions.size() > 1 && !kNeverCanonical.contains(op->full_name())) {
      EXPECT_NE(op->lower, nullptr) << op->full_name();
    }
  }
}

TEST(Lowering, OlderSignaturesCoverAllVersions) {
  for (const ir::OpDef* op : all_operators().all()) {
    const std::string_view domain = op->domain;
    if (!domain.empty() && domain != "ai.onnx.ml") continue;
    for (const int version : op->versions) {
      if (op->full_name() == "LayerNormalization" && version == 1) continue;  // of ONNX Runtime's
      const bool newest = version == op->versions.back();
      const auto older = older_signature(op->domain, op->name, version);
      EXPECT_EQ(older.has_value(), !newest) << op->full_name() << "-" << version;
      if (older) {
        EXPECT_NO_THROW(ir::parse_signature(older->signature, op->full_name())) << version;
      }
    }
  }
}

TEST(Lowering, InputsBecomeAttributesWhereTheyAreConstant) {
  const Fact axes = Fact::of(int64s({-1}));
  EXPECT_THAT(OneNode("Unsqueeze", {float32({2, 3}), axes}).at(12), HasSubstr("Unsqueeze(x0, axes=[-1])"));
  EXPECT_THAT(OneNode("Unsqueeze", {float32({2, 3}), axes}).at(10), HasSubstr("axes=[2]"));
  EXPECT_THAT(OneNode("Unsqueeze", {float32({2, 3}), Fact::tensor(DType::kInt64, {1})}).at(12),
              HasSubstr("refused: its input 'axes' is not a constant"));
  EXPECT_THAT(OneNode("Unsqueeze", {float32({2, 3}), Fact::tensor(DType::kInt64, {1})}).at(13),
              HasSubstr("Unsqueeze(x0, x1)"));
  EXPECT_THAT(OneNode("ReduceSum", {float32({2, 3}), axes}).at(11), HasSubstr("axes=[-1]"));
  EXPECT_THAT(OneNode("ReduceSum", {float32({2, 3})}, {{"noop_with_empty_axes", int64_t{1}}}).at(11),
              HasSubstr("refused: it reduces no axis"));
  EXPECT_THAT(OneNode("TopK", {float32({2, 3}), Fact::of(int64s({2}))}, {{"largest", int64_t{1}}}, 2).at(9),
              HasSubstr("TopK(x0, k=2)"));
  EXPECT_THAT(OneNode("TopK", {float32({2, 3}), Fact::of(int64s({2}))}, {{"largest", int64_t{0}}}, 2).at(10),
              HasSubstr("refused: its attribute 'largest' is 0"));
  EXPECT_THAT(OneNode("Reshape", {float32({2, 3}), Fact::of(int64s({6}))}).at(1), HasSubstr("Reshape(x0, shape=[6])"));
}

TEST(Lowering, LimitsThatFloatsHold) {
  const auto clip = [](Fact low, int64_t opset) { return OneNode("Clip", {float32({3}), std::move(low)}).at(opset); };
  EXPECT_THAT(clip(Fact::of(Tensor::scalar(-1.0f)), 6), HasSubstr("Clip(x0, min=-1, max=inf)"));
  EXPECT_THAT(clip(float32({}), 6), HasSubstr("refused: its limits are no constants"));
  EXPECT_THAT(OneNode("Clip", {Fact::tensor(DType::kFloat64, {3}), Fact::of(Tensor::scalar(0.1))}).at(6),
              HasSubstr("refused"));
  EXPECT_THAT(OneNode("Clip", {Fact::tensor(DType::kFloat64, {3}), Fact::of(Tensor::scalar(0.5))}).at(6),
              HasSubstr("min=0.5"));
}

TEST(Lowering, TypesThatCameLater) {
  EXPECT_THAT(OneNode("Relu", {Fact::tensor(DType::kInt32, {3})}).at(14), HasSubstr("Relu(x0)"));
  EXPECT_THAT(OneNode("Relu", {Fact::tensor(DType::kInt32, {3})}).at(13), HasSubstr("refused"));
  EXPECT_THAT(OneNode("Equal", {Fact::tensor(DType::kString, {3}), Fact::tensor(DType::kString, {3})}).at(18),
              HasSubstr("refused: input 0"));
}

TEST(Lowering, BroadcastingBeforeOpset7) {
  const auto add = [](ir::Shape a, ir::Shape b) {
    return OneNode("Add", {float32(std::move(a)), float32(std::move(b))}).at(6);
  };
  EXPECT_THAT(add({2, 3}, {2, 3}), HasSubstr("Add(x0, x1)"));
  EXPECT_THAT(add({2, 3}, {3}), HasSubstr("Add(x0, x1, broadcast=1)"));
  EXPECT_THAT(add({2, 3}, {1, 1}), HasSubstr("Add(x0, x1, broadcast=1)"));
  EXPECT_THAT(add({2, 3, 4}, {3, 1}), HasSubstr("broadcast=1, axis=1"));
  EXPECT_THAT(add({2, 3, 4}, {2, 1, 4}), HasSubstr("refused"));
  EXPECT_THAT(add({3}, {2, 3}), HasSubstr("refused"));
  EXPECT_THAT(add({Dim::symbol("n"), Dim(3)}, {Dim::symbol("m"), Dim(3)}), HasSubstr("refused"));
}

TEST(Lowering, SoftmaxOfOneAxisBetweenTransposes) {
  EXPECT_THAT(OneNode("Softmax", {float32({2, 3})}).at(12), HasSubstr("Softmax(x0, axis=1)"));
  const std::string moved = OneNode("Softmax", {float32({2, 3, 4})}, {{"axis", int64_t{1}}}).at(12);
  EXPECT_THAT(moved, HasSubstr("Transpose(x0, perm=[0, 2, 1])"));
  EXPECT_THAT(moved, HasSubstr("axis=2"));
  EXPECT_THAT(moved, HasSubstr("y0: float32[2,3,4] = Transpose("));
  EXPECT_THAT(OneNode("Softmax", {float32({2, 3, 1})}, {{"axis", int64_t{1}}}).at(12), HasSubstr("Softmax(x0, axis=1)"))
      << "the axes after it are 1";
}

TEST(Lowering, SplitIntoPartsThatMayBeUnequal) {
  EXPECT_THAT(OneNode("Split", {float32({6})}, {{"num_outputs", int64_t{2}}}, 2).at(13), HasSubstr("= Split(x0)"));
  EXPECT_THAT(OneNode("Split", {float32({5})}, {{"num_outputs", int64_t{2}}}, 2).at(11), HasSubstr("split=[3, 2]"));
  EXPECT_THAT(OneNode("Split", {float32({Dim::symbol("n")})}, {{"num_outputs", int64_t{2}}}, 2).at(13),
              HasSubstr("refused: the axis has n elements"));
}

TEST(Lowering, GroupNormalizationWithOneScaleAGroup) {
  const auto normalize = [](std::vector<float> scale) {
    return OneNode("GroupNormalization",
                   {float32({1, 4, 2}), Fact::of(floats(std::move(scale))), Fact::of(floats({0, 0, 1, 1}))},
                   {{"num_groups", int64_t{2}}})
        .at(18);
  };
  EXPECT_THAT(normalize({1, 1, 2, 2}), HasSubstr("GroupNormalization(x0, y0/Constant, y0/Constant_"));
  EXPECT_THAT(normalize({1, 2, 2, 2}), HasSubstr("refused"));
}

TEST(Lowering, QuantizationThatTheZeroPointTypes) {
  const Fact scale = Fact::of(Tensor::scalar(0.5f));
  EXPECT_THAT(OneNode("QuantizeLinear", {float32({3}), scale}, {{"output_dtype", int64_t{ONNXRUN_DTYPE_INT8}}}).at(13),
              HasSubstr("QuantizeLinear(x0, x1, y0/Constant)"));
  EXPECT_THAT(OneNode("QuantizeLinear", {float32({2, 3}), Fact::of(floats({1, 2, 3}))}).at(10),
              HasSubstr("refused: its scale is not one number"));
}

TEST(Lowering, WindowsThatBeginInThePadding) {
  const auto pool = [](ir::Shape shape, int64_t kernel, int64_t stride, int64_t opset) {
    return OneNode("MaxPool", {float32(std::move(shape))},
                   {{"kernel_shape", std::vector<int64_t>{kernel}},
                    {"strides", std::vector<int64_t>{stride}},
                    {"ceil_mode", int64_t{1}}})
        .at(opset);
  };
  EXPECT_THAT(pool({1, 1, Dim::symbol("n")}, 3, 2, 12), HasSubstr("= MaxPool(x0"))
      << "a window reaches over every stride";
  EXPECT_THAT(pool({1, 1, Dim(3)}, 1, 2, 12), HasSubstr("= MaxPool(x0"));
  EXPECT_THAT(pool({1, 1, Dim(2)}, 1, 2, 12), HasSubstr("refused: a window of spatial axis 0 begins in the padding"));
  EXPECT_THAT(pool({1, 1, Dim::symbol("n")}, 1, 2, 12), HasSubstr("refused: a window of spatial axis 0 may begin"));
  EXPECT_THAT(pool({1, 1, Dim(2)}, 1, 2, 22), HasSubstr("= MaxPool(x0"));
}

TEST(Lowering, BatchNormalizationInTraining) {
  const Fact one = float32({3});
  OneNode node("BatchNormalization", {float32({2, 3}), one, one, one, one}, {{"training_mode", int64_t{1}}}, 3);
  const std::string text = node.at(9);
  EXPECT_THAT(text, HasSubstr("y2: float32[3], statistic: float32[3], statistic_")) << "one output or five";
  EXPECT_THAT(text, ::testing::Not(HasSubstr("training_mode")));
}

TEST(Lowering, SizesInBodiesMayChangeFromCallToCall) {
  ir::Graph outer;
  const ir::ValueId parts = outer.add_constant(int64s({1}), "axes");
  ir::Graph body(&outer);
  const ir::ValueId state = body.add_input("state", float32({2, 3}));
  const ir::ValueId axes = body.capture(parts, "axes");
  const auto add = [&](const char* op, std::vector<ir::ValueId> inputs) {
    ir::Node node;
    node.op = all_operators().find("", op);
    node.inputs = std::move(inputs);
    node.outputs = {body.add_value({})};
    const ir::ValueId output = node.outputs[0];
    ir::infer_in_place(body, body.add_node(std::move(node)));
    return output;
  };
  add("Unsqueeze", {state, axes});
  EXPECT_FALSE(import::lower_graph(body, {&all_operators(), {{"", 12}}, false, false}))
      << "what is captured is a constant";
  add("Reshape", {state, add("Shape", {state})});
  const auto obstacle = import::lower_graph(body, {&all_operators(), {{"", 4}}, false, false});
  ASSERT_TRUE(obstacle);
  EXPECT_EQ(obstacle->why, "its input 'shape' is not a constant");
}

TEST(Lowering, DecomposesOnlyWhenAsked) {
  const Fact x = float32({3});
  EXPECT_EQ(OneNode("Gelu", {x}).at(13), "refused: the operator exists from opset 20 on");
  const std::string text = OneNode("Gelu", {x}).at(13, true);
  EXPECT_THAT(text, HasSubstr("Erf("));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("Gelu(")));
}

TEST(Lowering, OtherNamesOfOldOpsets) {
  const auto scatter = [](const char* reduction, int64_t opset) {
    return OneNode("ScatterElements", {float32({3}), Fact::tensor(DType::kInt64, {2}), float32({2})},
                   {{"reduction", std::string(reduction)}})
        .at(opset);
  };
  EXPECT_THAT(scatter("none", 9), HasSubstr("= Scatter("));
  EXPECT_THAT(scatter("add", 15), HasSubstr("refused"));
  EXPECT_THAT(scatter("max", 16), HasSubstr("refused: its reduction 'max'"));
  const auto resize = [](std::vector<float> scales, int64_t opset) {
    return OneNode("Resize", {float32({1, 1, 2, 2}), {}, Fact::of(floats(std::move(scales)))},
                   {{"coordinate_transformation_mode", std::string("asymmetric")},
                    {"mode", std::string("nearest")},
                    {"nearest_mode", std::string("floor")}})
        .at(opset);
  };
  EXPECT_THAT(resize({1, 1, 2, 2}, 12), HasSubstr("Resize(x0, y0/Constant, x2"));
  EXPECT_THAT(resize({1, 1, 2, 2}, 10), HasSubstr("Resize(x0, x2, mode='nearest')"));
  EXPECT_THAT(resize({1, 1, 2, 2}, 9), HasSubstr("Upsample(x0, x2, mode='nearest')"));
  EXPECT_THAT(resize({1, 1, 2, 2}, 8), HasSubstr("Upsample(x0, scales=[1, 1, 2, 2]"));
  EXPECT_THAT(resize({1, 1, 2, 3}, 6), HasSubstr("height_scale=2, width_scale=3"));
  EXPECT_THAT(resize({1, 1, 0.5f, 0.5f}, 10), HasSubstr("refused"));
}

}  // namespace
}  // namespace onnxrun::ops
