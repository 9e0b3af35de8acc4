// The graph's editing: names, producers, consumers, captures, order; checked by the verifier, which is checked too.
#include "ir/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/small_ops.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace onnxrun::ir {
namespace {

using testing::add;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_ops;
using ::testing::UnorderedElementsAre;

const Fact kVector = Fact::tensor(DType::kFloat32, {Dim(4)});

// outer: x, y = Relu(x), z = Run(x) whose body adds the captures y and x.
struct Nested {
  Graph graph;
  ValueId x, y, z;
  Graph* body = nullptr;
  NodeId run = kNone;

  Nested() {
    x = graph.add_input("x", kVector);
    y = add(graph, "Relu", {x}, {"y"}, "relu");
    auto inner = std::make_unique<Graph>(&graph);
    body = inner.get();
    const ValueId state = body->add_input("state", {});
    const ValueId sum = add(*body, "Add", {state, body->capture(y, "y")}, {"sum"});
    body->add_output(add(*body, "Add", {sum, body->capture(x, "x")}, {"result"}));
    Node node;
    node.op = small_ops().find("", "Run");
    node.inputs = {x};
    node.outputs = {z = graph.add_value("z")};
    node.bodies.push_back({"body", std::move(inner)});
    run = graph.add_node(std::move(node));
    graph.add_output(z);
  }
};

TEST(Graph, NamesAreUniqueAndFresh) {
  Graph graph;
  const ValueId x = graph.add_value("x");
  EXPECT_THROW(graph.add_value("x"), base::Error);
  EXPECT_NE(graph.value(graph.add_value("")).name, "");
  EXPECT_EQ(graph.fresh_name("y"), "y");
  EXPECT_NE(graph.fresh_name("x"), "x");
  graph.rename_value(x, "z");
  // Thousands of bodies do not count anew through the names around them.
  for (const char* name : {"n", "n_1", "n_2", "n_3", "n_4"}) graph.add_value(name);
  const Graph first(&graph), second(&graph);
  EXPECT_NE(first.fresh_name("n"), second.fresh_name("n"));
  EXPECT_EQ(graph.find_value("x"), kNone);
  EXPECT_EQ(graph.find_value("z"), x);
  verify(graph);
}

TEST(Graph, KeepsProducersAndConsumers) {
  Graph graph;
  const ValueId x = graph.add_input("x", kVector);
  const ValueId y = add(graph, "Add", {x, x}, {"y"});
  const NodeId producer = graph.value(y).producer;
  EXPECT_THAT(graph.value(x).consumers, ElementsAre(producer, producer));
  const ValueId c = graph.add_constant(Tensor::vector<float>({1, 2, 3, 4}), "c");
  graph.set_input(producer, 1, c);
  EXPECT_EQ(graph.value(x).consumers.size(), 1u);
  verify(graph);
  graph.remove_node(producer);
  EXPECT_EQ(graph.value(y).producer, kNone);
  graph.remove_value(y);
  verify(graph);
  EXPECT_EQ(graph.node_count(), 0u);
  EXPECT_EQ(graph.find_value("y"), kNone);
}

TEST(Graph, RefusesASecondProducer) {
  Graph graph;
  const ValueId x = graph.add_input("x", kVector);
  const ValueId y = add(graph, "Relu", {x}, {"y"}, "first");
  Node node;
  node.op = small_ops().find("", "Relu");
  node.inputs = {x};
  node.outputs = {y};
  try {
    graph.add_node(std::move(node));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("'y' is produced twice"), HasSubstr("'first'")));
  }
  Node onto_input;
  onto_input.op = small_ops().find("", "Relu");
  onto_input.inputs = {y};
  onto_input.outputs = {x};
  EXPECT_THROW(graph.add_node(std::move(onto_input)), base::Error);
  verify(graph);
}

TEST(Graph, RefusesToRemoveWhatIsUsed) {
  Graph graph;
  const ValueId x = graph.add_input("x", kVector);
  const ValueId y = add(graph, "Relu", {x}, {"y"});
  graph.add_output(y);
  EXPECT_THROW(graph.remove_value(x), base::Error);
  EXPECT_THROW(graph.remove_value(y), base::Error);
}

TEST(Graph, ReferencesStayValidWhileValuesAreAdded) {
  Graph graph;
  const Value& x = graph.value(graph.add_value("x"));
  for (int i = 0; i < 1000; ++i) graph.add_value("");
  EXPECT_EQ(x.name, "x");
}

TEST(Graph, CapturesCountAsUses) {
  Nested nested;
  EXPECT_THAT(nested.graph.value(nested.y).consumers, ElementsAre(nested.run));
  EXPECT_THAT(nested.graph.value(nested.x).consumers, UnorderedElementsAre(0, nested.run, nested.run));
  EXPECT_EQ(nested.body->capture(nested.y, "again"), nested.body->captures()[0]);
  verify(nested.graph);
}

TEST(Graph, ReplaceUsesReachesBodiesAndOutputs) {
  Nested nested;
  Graph& graph = nested.graph;
  const ValueId w = add(graph, "Relu", {nested.x}, {"w"});
  graph.replace_uses(nested.y, w);
  EXPECT_EQ(nested.body->value(nested.body->captures()[0]).outer, w);
  EXPECT_TRUE(graph.value(nested.y).consumers.empty());
  verify(graph);
  graph.replace_uses(nested.z, w);
  EXPECT_THAT(graph.outputs(), ElementsAre(w));
  EXPECT_TRUE(graph.is_output(w));
  EXPECT_FALSE(graph.is_output(nested.z));
  verify(graph);
}

TEST(Graph, ReplaceUsesJoinsCapturesOfTheSameValue) {
  Nested nested;
  nested.graph.replace_uses(nested.y, nested.x);
  EXPECT_EQ(nested.body->captures().size(), 1u);
  verify(nested.graph);
}

TEST(Graph, TakingANodeReleasesItsCaptures) {
  Nested nested;
  const Node node = nested.graph.take_node(nested.run);
  EXPECT_TRUE(nested.graph.value(nested.y).consumers.empty());
  EXPECT_EQ(node.bodies.size(), 1u);
  verify(nested.graph);
}

TEST(Topology, FollowsDataAndInsertionOrder) {
  Graph graph;
  const ValueId x = graph.add_input("x", kVector);
  const ValueId late = graph.add_value("late");
  const ValueId b = add(graph, "Add", {x, late}, {"b"});  // node 0 waits for node 2
  add(graph, "Relu", {x}, {"c"});
  Node node;
  node.op = small_ops().find("", "Relu");
  node.inputs = {x};
  node.outputs = {late};
  graph.add_node(std::move(node));
  add(graph, "Relu", {b}, {"d"});
  EXPECT_THAT(graph.topological_order(), ElementsAre(1, 2, 0, 3));
}

TEST(Topology, CapturesOrderNodes) {
  Nested nested;
  EXPECT_THAT(nested.graph.topological_order(), ElementsAre(0, 1));
}

TEST(Topology, NamesTheNodesOfACycle) {
  Graph graph;
  const ValueId x = graph.add_input("x", kVector);
  const ValueId a = graph.add_value("a");
  const ValueId b = add(graph, "Add", {x, a}, {"b"}, "first");
  const ValueId c = add(graph, "Relu", {b}, {"c"}, "second");
  Node node;
  node.op = small_ops().find("", "Relu");
  node.name = "third";
  node.inputs = {c};
  node.outputs = {a};
  graph.add_node(std::move(node));
  add(graph, "Relu", {c}, {"behind"}, "behind");
  try {
    graph.topological_order();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalidModel);
    EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("first"), HasSubstr("second"), HasSubstr("third"),
                                               ::testing::Not(HasSubstr("behind"))));
  }
  EXPECT_THROW(verify(graph), base::Error);
  EXPECT_THAT(to_text(graph), HasSubstr("node 'third'"));
}

TEST(Topology, LargeDeepAndWideGraphsAreOrdered) {
  constexpr int kNodes = 300'000;
  Graph graph;
  const ValueId x = graph.add_input("x", kVector);
  ValueId last = x;
  for (int i = 0; i < kNodes; ++i) last = add(graph, "Add", {last, x}, {"v" + std::to_string(i)});
  const std::vector<NodeId> order = graph.topological_order();
  ASSERT_EQ(order.size(), static_cast<size_t>(kNodes));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  for (NodeId id : order) graph.remove_node(id);
  EXPECT_TRUE(graph.value(x).consumers.empty());
}

TEST(Verify, FindsWrongConsumers) {
  Nested nested;
  nested.graph.value(nested.x).consumers.push_back(0);
  EXPECT_THROW(verify(nested.graph), base::Error);
}

TEST(Verify, FindsStaleCaptures) {
  Nested nested;
  const ValueId w = add(nested.graph, "Relu", {nested.x}, {"w"});
  nested.body->capture(w, "w");
  EXPECT_THROW(verify(nested.graph), base::Error);
  nested.graph.refresh_captures(nested.run);
  verify(nested.graph);
}

TEST(Verify, FindsWrongProducers) {
  Nested nested;
  nested.graph.value(nested.y).producer = nested.run;
  EXPECT_THROW(verify(nested.graph), base::Error);
}

TEST(Text, PrintsNodesBodiesAndConstants) {
  Nested nested;
  nested.graph.name = "main";
  nested.body->name = "inner";
  nested.graph.add_constant(Tensor::vector<float>({1, 2.5f}), "c");
  EXPECT_EQ(to_text(nested.graph),
            "graph main(x: float32[4]) -> (z) {\n"
            "  c: float32[2] = {1, 2.5}\n"
            "  y: ? = Relu(x)  # node 'relu'\n"
            "  z: ? = Run(x)\n"
            "    body:\n"
            "      graph inner(state: ?) -> (result) {\n"
            "        y: ? captures 'y'\n"
            "        x: float32[4] captures 'x'\n"
            "        sum: ? = Add(state, y)\n"
            "        result: ? = Add(sum, x)\n"
            "      }\n"
            "}\n");
}

TEST(Text, AbbreviatesConstants) {
  EXPECT_EQ(to_text(Tensor::vector<int64_t>({1, 2, 3, 4, 5, 6, 7, 8, 9})), "{1, 2, 3, 4, 5, 6, 7, 8, ...}");
  EXPECT_EQ(to_text(Tensor::scalar<bool>(true)), "true");
  EXPECT_EQ(to_text(AttributeValue(std::string("a'b\n"))), "'a\\'b\\x0a'");
  EXPECT_EQ(to_text(AttributeValue(std::vector<int64_t>{1, 2})), "[1, 2]");
}

}  // namespace
}  // namespace onnxrun::ir
