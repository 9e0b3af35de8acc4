// Inference on graphs: values through shape arithmetic, merging with declarations, bodies, error context.
#include "ir/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/small_ops.h"
#include "ir/verify.h"

namespace onnxrun::ir {
namespace {

using testing::add;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::small_ops;

const Dim n = Dim::symbol("n");

TEST(Infer, CarriesShapeValues) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {n, Dim(4)}));
  const ValueId shape = add(graph, "Shape", {x}, {"shape"});
  const ValueId one = graph.add_constant(Tensor::vector<int64_t>({1, 1}));
  const ValueId sum = add(graph, "Add", {shape, one}, {"sum"});
  infer_graph(graph);
  EXPECT_EQ(graph.value(sum).fact.to_string(), "int64[2] = {n + 1,5}");
  EXPECT_FALSE(graph.value(sum).fact.constant);
}

TEST(Infer, KnownElementsBecomeConstantsOfTheRightType) {
  Graph graph;
  const ValueId a = graph.add_constant(Tensor::vector<int32_t>({1, 2}));
  const ValueId sum = add(graph, "Add", {a, a}, {"sum"});
  const ValueId big = graph.add_constant(Tensor::vector<int8_t>({100}));
  const ValueId overflow = add(graph, "Add", {big, big}, {"overflow"});
  infer_graph(graph);
  const Tensor& constant = graph.value(sum).fact.constant;
  ASSERT_TRUE(constant);
  EXPECT_EQ(constant.dtype(), DType::kInt32);
  EXPECT_EQ(constant.data<int32_t>()[1], 4);
  EXPECT_FALSE(graph.value(overflow).fact.constant);
  EXPECT_FALSE(graph.value(overflow).fact.elements);
}

TEST(Infer, MergesWithDeclarations) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {Dim(), Dim(4)}));
  const ValueId y = add(graph, "Relu", {x}, {"y"});
  graph.value(y).fact = Fact::tensor(DType::kFloat32, {n, Dim()});
  infer_graph(graph);
  EXPECT_EQ(graph.value(y).fact.to_string(), "float32[n,4]");
}

TEST(Infer, NamesContradictionsWithDeclarations) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {Dim(3), Dim(4)}));
  const ValueId y = add(graph, "Relu", {x}, {"y"}, "act");
  graph.value(y).fact = Fact::tensor(DType::kFloat32, {Dim(3), Dim(5)});
  try {
    infer_graph(graph);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalidModel);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("value 'y' is inferred as float32[3,4] but declared as float32[3,5]"),
                                    HasSubstr("node 'act' (Relu) with inputs x: float32[3,4]")));
  }
}

TEST(Infer, ErrorsNameTheNodeAndItsInputs) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {n}));
  add(graph, "Fails", {kNone, x}, {"y"}, "bad");
  try {
    infer_graph(graph);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_STREQ(error.what(), "it always fails\n  in node 'bad' (Fails) with inputs x: float32[n]");
  }
}

TEST(Infer, ContextReadsElements) {
  const Fact constant = Fact::of(Tensor::vector<int64_t>({3, 4})), floats = Fact::tensor(DType::kFloat32, {Dim(2)}),
             open = Fact::tensor(DType::kInt64, {n});
  Node node;
  node.op = small_ops().find("", "Add");
  node.outputs = {0};
  std::vector<Fact> outputs(1);
  InferContext context(node, {&constant, nullptr, &floats, &open}, outputs);
  EXPECT_EQ(context.ints(0).value(), (std::vector<int64_t>{3, 4}));
  EXPECT_FALSE(context.ints(1));
  EXPECT_FALSE(context.ints(2));
  EXPECT_EQ(context.elements(2)->size(), 2u);
  EXPECT_TRUE(context.elements(2)->front().is_unknown());
  EXPECT_FALSE(context.elements(3));
  EXPECT_FALSE(context.has_input(1));
  EXPECT_FALSE(context.has_input(9));
  EXPECT_THROW(context.input(1), base::Error);
  context.set(5, constant);
  context.set(0, DType::kFloat32, Shape{Dim(2)});
  context.set_elements(0, {Dim(1), Dim(2)});
  EXPECT_FALSE(outputs[0].elements) << "float tensors carry no elements";
  context.set(0, DType::kInt64, Shape{n});
  context.set_elements(0, {Dim(1), Dim(2)});
  EXPECT_EQ(outputs[0].to_string(), "int64[2] = {1,2}");
  context.set(0, DType::kInt64, Shape{Dim(3)});
  context.set_elements(0, {Dim(1), Dim(2)});
  EXPECT_FALSE(outputs[0].elements) << "the count contradicts the shape";
}

// A Run whose body concatenates its state with itself and a capture: its length grows, so that only an unknown one holds.
std::unique_ptr<Graph> growing_body(Graph& graph, ValueId captured) {
  auto body = std::make_unique<Graph>(&graph);
  const ValueId state = body->add_input("state", {});
  body->add_output(add(*body, "Concat", {state, body->capture(captured, "captured")}, {"longer"}));
  return body;
}

ValueId add_run(Graph& graph, ValueId state, std::unique_ptr<Graph> body, const std::string& output) {
  Node node;
  node.op = small_ops().find("", "Run");
  node.inputs = {state};
  const ValueId id = graph.add_value(output);
  node.outputs = {id};
  node.bodies.push_back({"body", std::move(body)});
  graph.add_node(std::move(node));
  return id;
}

TEST(InferBody, RepeatsUntilTheStateHolds) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {Dim(3)}));
  auto body = growing_body(graph, x);
  const Graph& inner = *body;
  const ValueId z = add_run(graph, x, std::move(body), "z");
  infer_graph(graph);
  EXPECT_EQ(graph.value(z).fact.to_string(), "float32[?]");
  EXPECT_EQ(inner.value(inner.outputs()[0]).fact.to_string(), "float32[?]") << "facts of the last call stay";
  EXPECT_EQ(inner.value(inner.captures()[0]).fact.to_string(), "float32[3]");
  verify(graph);
  infer_graph(graph);
  EXPECT_EQ(graph.value(z).fact.to_string(), "float32[?]");
}

TEST(InferBody, KeepsShapesThatHold) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {Dim(3)}));
  auto body = std::make_unique<Graph>(&graph);
  body->add_output(add(*body, "Add", {body->add_input("state", {}), body->capture(x, "x")}, {"sum"}));
  const ValueId z = add_run(graph, x, std::move(body), "z");
  infer_graph(graph);
  EXPECT_EQ(graph.value(z).fact.to_string(), "float32[3]");
}

TEST(InferBody, DeepNestingTakesLinearTime) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {Dim(3)}));
  Graph* at = &graph;
  ValueId state = x, captured = x;
  std::vector<std::pair<Graph*, ValueId>> levels;
  for (int depth = 0; depth < 60; ++depth) {
    auto body = std::make_unique<Graph>(at);
    Graph* inner = body.get();
    const ValueId inner_captured = inner->capture(captured, "captured");
    const ValueId inner_state = inner->add_input("state", {});
    const ValueId longer = add(*inner, "Concat", {inner_state, inner_captured}, {"longer"});
    const ValueId result = add_run(*at, state, std::move(body), "z");
    if (depth > 0) at->add_output(result);
    at = inner;
    state = longer;
    captured = inner_captured;
  }
  at->add_output(state);
  infer_graph(graph);
  EXPECT_EQ(graph.value(graph.find_value("z")).fact.to_string(), "float32[?]");
  verify(graph);
}

TEST(InferBody, RefusesAnotherNumberOfInputs) {
  Graph graph;
  const ValueId x = graph.add_input("x", Fact::tensor(DType::kFloat32, {Dim(3)}));
  auto body = growing_body(graph, x);
  body->add_input("more", {});
  add_run(graph, x, std::move(body), "z");
  EXPECT_THROW(infer_graph(graph), base::Error);
}

}  // namespace
}  // namespace onnxrun::ir
