// What is inferred of branches and loops whose conditions and trip counts are known, and of shapes that only computing constants tells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cpu/provider.h"
#include "integration/small_models.h"
#include "ir/infer.h"
#include "ir/only_types.h"
#include "ir/resolve.h"
#include "plan/kernel_evaluator.h"

namespace onnxrun::testing {
namespace {

using base::Tensor;

Tensor flag(bool value) { return Tensor::scalar(value); }

std::string fact_of(const ir::Graph& graph, ir::ValueId value) { return graph.value(value).fact.to_string(); }

ir::Body branch(ir::Graph& outer, const char* name, ir::ValueId captured, const char* op,
                ir::Attributes attributes = {}) {
  ir::Body body{name, std::make_unique<ir::Graph>(&outer)};
  GraphBuilder inner(*body.graph);
  const auto x = body.graph->capture(captured, std::string(name) + "/x");
  body.graph->add_output(inner.add(op, {x}, {}, std::move(attributes)));
  return body;
}

ir::ValueId add_if(SmallModel& m, ir::ValueId condition, ir::ValueId x) {
  std::vector<ir::Body> bodies;
  bodies.push_back(branch(m.g.graph(), "then_branch", x, "Relu"));
  bodies.push_back(branch(m.g.graph(), "else_branch", x, "Flatten", {{"axis", int64_t{0}}}));
  return m.g.add_many("If", {condition}, 1, {}, std::move(bodies)).front();
}

TEST(Branches, AKnownConditionGivesTheFactsOfItsBranch) {
  SmallModel m;
  const auto x = m.g.input("x", base::DType::kFloat32, {2, 3});
  const auto then = add_if(m, m.g.constant(flag(true)), x), other = add_if(m, m.g.constant(flag(false)), x),
             either = add_if(m, m.g.input("c", base::DType::kBool, {}), x);
  EXPECT_EQ(fact_of(m.g.graph(), then), "float32[2,3]");
  EXPECT_EQ(fact_of(m.g.graph(), other), "float32[1,6]");
  EXPECT_EQ(fact_of(m.g.graph(), either), "float32[?,?]");
}

TEST(Branches, OnlyTypesAreInferredOfOnesThatNeverRun) {
  SmallModel m;
  const auto x = m.g.constant(filled({2, 3}, 0));
  {
    const ir::OnlyTypes only_types(true);
    EXPECT_EQ(fact_of(m.g.graph(), m.g.add("Squeeze", {x, m.g.ints({0})})), "float32[...]");
  }
  EXPECT_THROW(m.g.add("Squeeze", {x, m.g.ints({0})}), base::Error);
}

// One state, which `op` doubles or keeps, and a scan of it. `go`: the condition that comes out is the one that went in, else computed.
std::vector<std::string> loop_facts(Tensor trips, const char* op, bool passes_condition = true) {
  SmallModel m;
  const auto x = m.g.input("x", base::DType::kFloat32, {2, 3});
  ir::Body body{"body", std::make_unique<ir::Graph>(&m.g.graph())};
  GraphBuilder inner(*body.graph);
  inner.input("i", base::DType::kInt64, {});
  const auto go = inner.input("go", base::DType::kBool, {});
  const auto state = inner.input("state", base::DType::kFloat32, {ir::Dim(), 3});
  inner.graph().add_output(inner.add(passes_condition ? "Identity" : "Not", {go}));
  std::vector<ir::ValueId> inputs(2, state);
  if (std::string(op) == "Relu") inputs.pop_back();
  ir::Attributes attributes;
  if (std::string(op) == "Concat") attributes.set("axis", int64_t{0});
  inner.graph().add_output(inner.add(op, inputs, "next", attributes));
  inner.graph().add_output(inner.add("ReduceSum", {state}, "sum", {{"keepdims", int64_t{0}}}));
  std::vector<ir::Body> bodies;
  bodies.push_back(std::move(body));
  const auto outputs =
      m.g.add_many("Loop", {m.g.constant(std::move(trips)), m.g.constant(flag(true)), x}, 2, {}, std::move(bodies));
  return {fact_of(m.g.graph(), outputs[0]), fact_of(m.g.graph(), outputs[1])};
}

TEST(Loops, KnownTripCountsCountTheScans) {
  EXPECT_THAT(loop_facts(Tensor::scalar<int64_t>(5), "Relu"), ::testing::ElementsAre("float32[2,3]", "float32[5]"));
}

TEST(Loops, GrowingStatesAreOpen) {
  EXPECT_THAT(loop_facts(Tensor::scalar<int64_t>(5), "Concat"), ::testing::ElementsAre("float32[?,3]", "float32[5]"));
}

TEST(Loops, WhatNeverRunsGivesItsInput) {
  EXPECT_THAT(loop_facts(Tensor::scalar<int64_t>(0), "Concat"), ::testing::ElementsAre("float32[2,3]", "float32[0]"));
  EXPECT_THAT(loop_facts(Tensor::scalar<int64_t>(-4), "Concat"), ::testing::ElementsAre("float32[2,3]", "float32[0]"));
}

TEST(Loops, ComputedConditionsMayEndThemEarlier) {
  EXPECT_THAT(loop_facts(Tensor::scalar<int64_t>(5), "Relu", false),
              ::testing::ElementsAre("float32[2,3]", "float32[?]"));
}

void resolve(ir::Graph& graph) {
  plan::KernelEvaluator evaluator(cpu_only(), nullptr);
  ir::resolve_shapes(graph, evaluator);
}

TEST(Resolving, ComputesConstantsThatDecideShapesAndKeepsNone) {
  SmallModel m;
  const auto places = m.g.add("NonZero", {m.g.constant(Tensor::vector<float>({0, 1, 2, 0, 3}))});
  const auto count = m.g.add("Shape", {places});
  const auto doubled = m.g.add("Concat", {places, places}, {}, {{"axis", int64_t{1}}});
  const auto x = m.g.input("x", base::DType::kFloat32, {});
  const auto y = m.g.add("Expand", {x, count});
  resolve(m.g.graph());
  EXPECT_EQ(fact_of(m.g.graph(), places), "int64[1,3]");
  EXPECT_EQ(fact_of(m.g.graph(), doubled), "int64[1,6]");
  EXPECT_EQ(fact_of(m.g.graph(), y), "float32[1,3]");
  EXPECT_FALSE(m.g.graph().value(places).fact.constant) << "folding is a pass's decision";
}

TEST(Resolving, LeavesWhatDependsOnInputsOpen) {
  SmallModel m;
  const auto places = m.g.add("NonZero", {m.g.input("x", base::DType::kFloat32, {5})});
  resolve(m.g.graph());
  EXPECT_EQ(fact_of(m.g.graph(), places), "int64[1,?]");
}

TEST(Resolving, LeavesWhatSubnormalNumbersDecideOpen) {
  SmallModel m;
  const auto places = m.g.add("NonZero", {m.g.constant(Tensor::vector<float>({0, 1e-40f, 1}))});
  const auto narrow = m.g.add("Cast", {m.g.constant(Tensor::vector<float>({0, 1, 2}))}, {},
                              {{"to", static_cast<int64_t>(base::DType::kBfloat16)}});
  const auto more = m.g.add("NonZero", {narrow});
  resolve(m.g.graph());
  EXPECT_EQ(fact_of(m.g.graph(), places), "int64[1,?]") << "sessions may flush them";
  EXPECT_EQ(fact_of(m.g.graph(), more), "int64[1,2]");
}

TEST(Resolving, LeavesWhatIsLargeOpen) {
  SmallModel m;
  const auto places = m.g.add("NonZero", {m.g.constant(filled({200, 200}, 1))});
  resolve(m.g.graph());
  EXPECT_EQ(fact_of(m.g.graph(), places), "int64[2,?]");
}

}  // namespace
}  // namespace onnxrun::testing
