// Branches and loops that are known before the run are put in their place, with the same results.
#include <gtest/gtest.h>

#include <functional>

#include "integration/small_models.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "optimize/driver.h"

namespace onnxrun::testing {
namespace {

using base::Tensor;
using base::Value;

std::string names_of(const ir::Graph& graph) {
  std::string text;
  for (const ir::NodeId id : graph.topological_order())
    text += (text.empty() ? "" : " ") + std::string(graph.node(id).op->name);
  return text;
}

void run_pass(ir::Graph& graph, const std::string& pass) {
  optimize::OptimizeOptions options;
  options.table = &operators();
  options.only = {pass};
  optimize::optimize(graph, options);
  ir::verify(graph);
}

// What `build` makes computes the same before and after `pass`, and then has the nodes `expected`.
template <class Build>
void rewrites(const Build& build, const std::string& pass, const std::string& expected, const Named& inputs) {
  SmallModel before, after;
  build(before);
  build(after);
  const std::vector<Value> wanted = run_with(*before.session(), inputs);
  run_pass(after.g.graph(), pass);
  EXPECT_EQ(names_of(after.g.graph()), expected) << ir::to_text(after.g.graph());
  const std::vector<Value> found = run_with(*after.session(), inputs);
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t k = 0; k < found.size(); ++k) {
    EXPECT_EQ(found[k].describe(), wanted[k].describe());
    EXPECT_EQ(floats_of(found[k]), floats_of(wanted[k]));
  }
}

// The pass leaves it the nodes it has.
template <class Build>
void leaves(const Build& build, const std::string& pass, const std::string& nodes, const Named& inputs) {
  SmallModel model;
  build(model);
  EXPECT_EQ(names_of(model.g.graph()), nodes);
  rewrites(build, pass, nodes, inputs);
}

ir::ValueId flag(SmallModel& m, bool value) { return m.g.constant(Tensor::scalar(value)); }

// A body that adds a constant to x of the graph around it.
ir::Body shifted(ir::Graph& outer, const char* name, ir::ValueId x, float by) {
  ir::Body body{name, std::make_unique<ir::Graph>(&outer)};
  GraphBuilder inner(*body.graph);
  const auto captured = body.graph->capture(x, "captured");
  body.graph->add_output(inner.add("Add", {captured, inner.constant(filled({1}, by))}));
  return body;
}

ir::ValueId choose(GraphBuilder& g, ir::ValueId condition, ir::ValueId x, float then, float otherwise) {
  std::vector<ir::Body> bodies;
  bodies.push_back(shifted(g.graph(), "then_branch", x, then));
  bodies.push_back(shifted(g.graph(), "else_branch", x, otherwise));
  return g.add_many("If", {condition}, 1, {}, std::move(bodies)).front();
}

const Named kInput = {{"x", filled({3}, 1.0f, 0.5f)}};

TEST(InlineIf, TakesTheBranch) {
  for (const bool taken : {true, false}) {
    const auto build = [&](SmallModel& m) {
      const auto x = m.g.input("x", base::DType::kFloat32, {3});
      m.output(m.g.add("Neg", {choose(m.g, flag(m, taken), x, 10, 20)}));
    };
    rewrites(build, "inline-if", "Add Neg", kInput);
  }
}

TEST(InlineIf, KeepsTheNamesOfOutputs) {
  const auto build = [](SmallModel& m) {
    const auto x = m.g.input("x", base::DType::kFloat32, {3});
    std::vector<ir::Body> bodies;
    for (const char* name : {"then_branch", "else_branch"}) {
      ir::Body body{name, std::make_unique<ir::Graph>(&m.g.graph())};
      GraphBuilder inner(*body.graph);
      const auto captured = body.graph->capture(x, "captured");
      const auto twice = inner.add("Add", {captured, captured});
      for (const auto value : {twice, twice, captured}) body.graph->add_output(value);
      bodies.push_back(std::move(body));
    }
    for (const auto each : m.g.add_many("If", {flag(m, true)}, 3, {}, std::move(bodies))) m.output(each);
  };
  rewrites(build, "inline-if", "Add Identity Identity", kInput);
}

TEST(InlineIf, BodiesInsideSeeTheValuesAround) {
  const auto build = [](SmallModel& m) {
    const auto x = m.g.input("x", base::DType::kFloat32, {3});
    const auto c = m.g.input("c", base::DType::kBool, {});
    std::vector<ir::Body> bodies;
    for (const char* name : {"then_branch", "else_branch"}) {
      ir::Body body{name, std::make_unique<ir::Graph>(&m.g.graph())};
      GraphBuilder inner(*body.graph);
      const auto captured = body.graph->capture(x, "x_in");
      const auto doubled = inner.add("Add", {captured, captured});
      body.graph->add_output(choose(inner, body.graph->capture(c, "c_in"), doubled, 1, 2));
      bodies.push_back(std::move(body));
    }
    m.output(m.g.add_many("If", {flag(m, false)}, 1, {}, std::move(bodies)).front());
  };
  rewrites(build, "inline-if", "Add If", {kInput[0], {"c", Tensor::scalar(true)}});
}

TEST(InlineIf, UnknownConditionsStay) {
  const auto build = [](SmallModel& m) {
    const auto x = m.g.input("x", base::DType::kFloat32, {3});
    m.output(choose(m.g, m.g.input("c", base::DType::kBool, {}), x, 1, 2));
  };
  leaves(build, "inline-if", "If", {kInput[0], {"c", Tensor::scalar(true)}});
}

struct LoopParts {
  int64_t trips = 3;
  bool has_condition = true;
  const char* condition = "Identity";  // of the body's
  bool known_trips = true;
};

// state = state * x, with a scan of i times the states that go in.
auto loop(const LoopParts& parts) {
  return [parts](SmallModel& m) {
    const auto x = m.g.input("x", base::DType::kFloat32, {3});
    ir::Body body{"body", std::make_unique<ir::Graph>(&m.g.graph())};
    GraphBuilder inner(*body.graph);
    const auto i = inner.input("i", base::DType::kInt64, {});
    const auto go = inner.input("go", base::DType::kBool, {});
    const auto state = inner.input("state", base::DType::kFloat32, {3});
    const auto captured = body.graph->capture(x, "captured");
    body.graph->add_output(inner.add(parts.condition, {go}));
    body.graph->add_output(inner.add("Mul", {state, captured}));
    body.graph->add_output(inner.add("Mul", {state, inner.add("Cast", {i}, {}, {{"to", int64_t{1}}})}));
    std::vector<ir::Body> bodies;
    bodies.push_back(std::move(body));
    const auto trips =
        parts.known_trips ? m.g.constant(Tensor::scalar(parts.trips)) : m.g.input("trips", base::DType::kInt64, {});
    const auto condition = parts.has_condition ? flag(m, true) : ir::kNone;
    for (const auto each : m.g.add_many("Loop", {trips, condition, x}, 2, {}, std::move(bodies))) m.output(each);
  };
}

TEST(UnrollLoop, PutsIterationsOneAfterTheOther) {
  const std::string each = "Identity Mul Cast Mul Unsqueeze";
  rewrites(loop({.trips = 2}), "unroll-loop", each + " " + each + " Concat", kInput);
  rewrites(loop({.trips = 1, .has_condition = false}), "unroll-loop", each + " Concat", kInput);
}

TEST(UnrollLoop, WhatNeverRunsGivesItsState) {
  rewrites(loop({.trips = 0}), "unroll-loop", "Identity", kInput);
  rewrites(loop({.trips = -1}), "unroll-loop", "Identity", kInput);
}

TEST(UnrollLoop, UnknownOrManyTripsStay) {
  leaves(loop({.known_trips = false}), "unroll-loop", "Loop", {kInput[0], {"trips", Tensor::scalar<int64_t>(2)}});
  leaves(loop({.trips = 60}), "unroll-loop", "Loop", kInput);
}

TEST(UnrollLoop, ConditionsThatEndItEarlierStay) { leaves(loop({.condition = "Not"}), "unroll-loop", "Loop", kInput); }

// Adds to `graph` a Loop of three trips around a Loop around ... a Relu, as an output.
void nest(ir::Graph& graph, ir::ValueId value, int depth) {
  GraphBuilder g(graph);
  if (depth == 0) {
    graph.add_output(g.add("Relu", {value}));
    return;
  }
  ir::Body body{"body", std::make_unique<ir::Graph>(&graph)};
  GraphBuilder inner(*body.graph);
  inner.input("i", base::DType::kInt64, {});
  body.graph->add_output(inner.input("go", base::DType::kBool, {}));
  nest(*body.graph, inner.input("state", base::DType::kFloat32, {3}), depth - 1);
  std::vector<ir::Body> bodies;
  bodies.push_back(std::move(body));
  const auto trips = g.constant(Tensor::scalar<int64_t>(3)), go = g.constant(Tensor::scalar(true));
  graph.add_output(g.add_many("Loop", {trips, go, value}, 1, {}, std::move(bodies)).front());
}

TEST(UnrollLoop, NestedOnesGrowNoFurtherThanTheirLimit) {
  SmallModel m;
  nest(m.g.graph(), m.g.input("x", base::DType::kFloat32, {3}), 8);
  run_pass(m.g.graph(), "unroll-loop");
  EXPECT_EQ(names_of(m.g.graph()), "Loop") << "of 3 ^ 5 Relus";
  EXPECT_EQ(floats_of(run_with(*m.session(), kInput)[0]), floats_of(kInput[0].second));
}

}  // namespace
}  // namespace onnxrun::testing
