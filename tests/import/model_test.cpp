// Ordinary models: what the graph holds after an import.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire_model.h"

namespace onnxrun::import::test {
namespace {

using ::testing::HasSubstr;

std::string branch(const std::string& outer, const std::string& inner) {
  return graph({.nodes = {node("Relu", {outer}, {inner})}, .outputs = {value_info(inner)}}, "body");
}

TEST(Model, NodesInitializersAndSymbols) {
  const ir::Model m =
      load(model(graph({.nodes = {node("Add", {"x", "w"}, {"s"}, {}, "sum"), node("Relu", {"s"}, {"y"})},
                        .inputs = {value_info("x", 1, {"batch", 2})},
                        .outputs = {value_info("y", 1, {"batch", 2})},
                        .initializers = {float_tensor("w", {2}, {1.5f, -2.0f})}})));
  const ir::Graph& g = *m.graph;
  EXPECT_EQ(m.producer_name, "tests");
  EXPECT_EQ(m.opset_imports.at(""), 18);
  ASSERT_EQ(g.node_count(), 2u);
  ASSERT_EQ(g.inputs().size(), 1u);
  EXPECT_EQ(g.value(g.inputs()[0]).fact.to_string(), "float32[batch,2]");
  EXPECT_EQ(g.value(g.outputs().at(0)).name, "y");
  EXPECT_EQ(g.value(g.outputs().at(0)).fact.to_string(), "float32[batch,2]");
  const ir::Fact& w = g.value(g.find_value("w")).fact;
  ASSERT_TRUE(w.constant);
  EXPECT_EQ(w.constant.data<float>()[0], 1.5f);
  EXPECT_EQ(w.constant.data<float>()[1], -2.0f);
  EXPECT_EQ(g.node(0).origin, std::vector<std::string>{"sum"});
  EXPECT_TRUE(m.warnings.empty());
}

TEST(Model, NamedDimsTakeGivenSizes) {
  const std::string bytes = model(graph({.nodes = {node("Relu", {"x"}, {"y"})},
                                         .inputs = {value_info("x", 1, {"batch", 2})},
                                         .outputs = {value_info("y", 1, {"batch", 2})}}));
  ImportOptions options = tiny_options();
  options.dims["batch"] = 5;
  const ir::Model m = load(bytes, options);
  EXPECT_EQ(m.graph->value(m.graph->inputs()[0]).fact.to_string(), "float32[5,2]");
  options.dims["time"] = 3;
  EXPECT_THAT(error_of(bytes, options), HasSubstr("no dimension named 'time'; it has batch"));
}

TEST(Model, InitializersThatAreInputs) {
  const GraphParts parts{.nodes = {node("Add", {"x", "w"}, {"y"})},
                         .inputs = {value_info("x"), value_info("w")},
                         .outputs = {value_info("y")},
                         .initializers = {float_tensor("w", {2}, {1, 2})}};
  const ir::Model now = load(model(graph(parts), 8));
  ASSERT_EQ(now.graph->inputs().size(), 2u);
  ASSERT_EQ(now.input_defaults.size(), 1u);
  EXPECT_EQ(now.input_defaults.begin()->first, now.graph->find_value("w"));
  EXPECT_FALSE(now.graph->value(now.graph->find_value("w")).fact.constant);
  const ir::Model old = load(model(graph(parts), 3));
  EXPECT_EQ(old.graph->inputs().size(), 1u);
  EXPECT_TRUE(old.input_defaults.empty());
  EXPECT_TRUE(old.graph->value(old.graph->find_value("w")).fact.constant);
}

TEST(Model, ConstantNodesBecomeConstants) {
  const ir::Model m = load(model(
      graph({.nodes = {node("Constant", {}, {"c"}, {message_attribute("value", 4, 5, float_tensor("", {2}, {3, 4}))}),
                       node("Add", {"x", "c"}, {"y"})},
             .inputs = {value_info("x")},
             .outputs = {value_info("y")}})));
  EXPECT_EQ(m.graph->node_count(), 1u);
  EXPECT_EQ(m.graph->value(m.graph->find_value("c")).fact.constant.data<float>()[1], 4.0f);
}

TEST(Model, BodiesCaptureThroughLevels) {
  const std::string inner_if = node("If", {"c"}, {"z"},
                                    {message_attribute("then_branch", 5, 6, branch("x", "a")),
                                     message_attribute("else_branch", 5, 6, branch("x", "b"))});
  const std::string outer_body = graph({.nodes = {inner_if}, .outputs = {value_info("z")}}, "middle");
  const ir::Model m = load(model(graph({.nodes = {node("If", {"c"}, {"y"},
                                                       {message_attribute("then_branch", 5, 6, outer_body),
                                                        message_attribute("else_branch", 5, 6, branch("x", "b"))})},
                                        .inputs = {value_info("c", 9, {}), value_info("x")},
                                        .outputs = {value_info("y")}})));
  const ir::Node& outer = m.graph->node(0);
  ASSERT_EQ(outer.bodies.size(), 2u);
  const ir::Graph& middle = *outer.body("then_branch");
  EXPECT_EQ(middle.captures().size(), 2u);  // c and x
  const ir::Graph& innermost = *middle.node(0).body("then_branch");
  ASSERT_EQ(innermost.captures().size(), 1u);
  EXPECT_EQ(middle.value(innermost.value(innermost.captures()[0]).outer).name, "x");
  EXPECT_EQ(m.graph->value(m.graph->outputs()[0]).fact.to_string(), "float32[2]");
}

TEST(Model, NodesAreSortedWithAWarning) {
  const std::string bytes = model(graph({.nodes = {node("Relu", {"s"}, {"y"}), node("Relu", {"x"}, {"s"})},
                                         .inputs = {value_info("x")},
                                         .outputs = {value_info("y")}}));
  const ir::Model m = load(bytes);
  ASSERT_EQ(m.warnings.size(), 1u);
  EXPECT_THAT(m.warnings[0], HasSubstr("topological order"));
  ImportOptions strict = tiny_options();
  strict.strict = true;
  EXPECT_THAT(error_of(bytes, strict), HasSubstr("topological order"));
}

TEST(Model, LiftsByOpset) {
  const auto lifted = [](int64_t version) {
    const GraphParts parts{
        .nodes = {node("LeakyRelu", {"x"}, {"y"})}, .inputs = {value_info("x")}, .outputs = {value_info("y")}};
    const ir::Model m = load(model(graph(parts), 8, {}, {opset("", version)}));
    return m.graph->node(0).attributes.has("lifted");
  };
  EXPECT_TRUE(lifted(15));
  EXPECT_FALSE(lifted(16));
}

TEST(Model, FirstOutputMayBeAbsent) {
  const std::string body = graph({.nodes = {node("Relu", {"x"}, {"a"}), node("Relu", {"x"}, {"b"})},
                                  .outputs = {value_info("a"), value_info("b")}},
                                 "two");
  const GraphParts parts{
      .nodes = {node("If", {"c"}, {"", "y"},
                     {message_attribute("then_branch", 5, 6, body), message_attribute("else_branch", 5, 6, body)})},
      .inputs = {value_info("c", 9, {}), value_info("x")},
      .outputs = {value_info("y")}};
  const ir::Model m = load(model(graph(parts)));
  EXPECT_EQ(m.graph->node(0).origin, std::vector<std::string>{"y"});
  // How many there are says what the branches must give, so that there is a value that nobody reads.
  EXPECT_TRUE(m.graph->value(m.graph->node(0).outputs.at(0)).consumers.empty());
}

TEST(Model, LongChainLoads) {
  GraphParts parts{.inputs = {value_info("x0")}, .outputs = {value_info("x300000")}};
  for (int i = 0; i < 300'000; ++i)
    parts.nodes.push_back(node("Relu", {"x" + std::to_string(i)}, {"x" + std::to_string(i + 1)}));
  EXPECT_EQ(load(model(graph(parts))).graph->node_count(), 300'000u);
}

}  // namespace
}  // namespace onnxrun::import::test
