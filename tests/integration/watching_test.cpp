// What can be watched in a run: any intermediate value, and the time of every step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "integration/small_models.h"

namespace onnxrun::testing {
namespace {

using base::Tensor;
using base::Value;
using ::testing::ElementsAre;

// Values of all kinds of places: a block, a view, a folded constant, an output, a heap tensor, a sequence, a loop's body.
SmallModel varied() {
  SmallModel m;
  const auto x = m.g.input("x", base::DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(2)});
  const auto shape = m.g.add("Shape", {x}, "folded");
  const auto twice = m.g.add("Add", {x, x}, "block");
  const auto view = m.g.add("Reshape", {twice, m.g.ints({-1})}, "view");
  const auto where = m.g.add("NonZero", {view}, "heap");
  const auto pair = m.g.add("SequenceConstruct", {view, view}, "sequence");

  ir::Body body{"body", std::make_unique<ir::Graph>(&m.g.graph())};
  GraphBuilder inner(*body.graph);
  inner.input("i", base::DType::kInt64, {});
  const auto go = inner.input("go", base::DType::kBool, {});
  const auto state = inner.input("state", base::DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(2)});
  const auto outer = body.graph->capture(twice, "outer");
  inner.graph().add_output(inner.add("Identity", {go}));
  inner.graph().add_output(inner.add("Add", {state, outer}, "in the body"));
  std::vector<ir::Body> bodies;
  bodies.push_back(std::move(body));
  const auto looped =
      m.g.add_many("Loop", {m.g.constant(Tensor::scalar<int64_t>(2)), ir::kNone, x}, 1, {}, std::move(bodies)).front();

  m.output(m.g.add("Neg", {view}, "output"));
  m.output(looped);
  m.output(where);
  m.output(pair);
  m.output(shape);
  return m;
}

std::map<std::string, std::vector<Value>> tap_all(run::Session& session) {
  std::map<std::string, std::vector<Value>> seen;
  run::Observer observer;
  observer.tap_all = true;
  observer.on_tap = [&](const std::string& name, Value value) { seen[name].push_back(std::move(value)); };
  run_with(session, {{"x", filled({1, 2}, 1.0f, 2.0f)}}, &observer);
  return seen;
}

void expect_all(std::map<std::string, std::vector<Value>> seen) {
  EXPECT_EQ(seen.at("folded")[0].tensor().as_int64(), (std::vector<int64_t>{1, 2}));
  EXPECT_THAT(floats_of(seen.at("block")[0]), ElementsAre(2, 6));
  EXPECT_EQ(seen.at("block")[0].tensor().dims(), (base::Dims{1, 2}));
  EXPECT_THAT(floats_of(seen.at("view")[0]), ElementsAre(2, 6));
  EXPECT_EQ(seen.at("view")[0].tensor().dims(), (base::Dims{2}));
  EXPECT_THAT(floats_of(seen.at("output")[0]), ElementsAre(-2, -6));
  EXPECT_EQ(seen.at("heap")[0].tensor().as_int64(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(seen.at("sequence")[0].sequence().elements.size(), 2u);
  ASSERT_EQ(seen.at("in the body").size(), 2u) << "once an iteration";
  EXPECT_THAT(floats_of(seen.at("in the body")[0]), ElementsAre(3, 9));
  EXPECT_THAT(floats_of(seen.at("in the body")[1]), ElementsAre(5, 15));
}

TEST(Taps, SeeEveryValue) { expect_all(tap_all(*varied().session())); }

TEST(Taps, SeeEveryValueOnADevice) { expect_all(tap_all(*varied().session(late_first()))); }

TEST(Taps, KeepTheirOwnCopy) {
  const auto session = varied().session();
  auto seen = tap_all(*session);
  run_with(*session, {{"x", filled({1, 2}, 100.0f)}});
  expect_all(std::move(seen));
}

TEST(Profile, HasAnEventForEveryStepThatRuns) {
  const auto session = varied().session();
  run::Observer observer;
  observer.profile = true;
  run_with(*session, {{"x", filled({1, 2}, 1.0f, 2.0f)}}, &observer);
  std::map<std::string, int> ops;
  int inside = 0;
  for (const run::ProfileEvent& event : observer.events) {
    ++ops[event.op()];
    EXPECT_LE(event.begin_ns, event.end_ns) << event.op();
    EXPECT_GT(event.bytes, 0) << event.op();
    EXPECT_EQ(event.source == nullptr, event.op() == "Copy");
    if (event.node == "block") {
      EXPECT_EQ(event.bytes, 24) << "x twice, and the sum";
      EXPECT_EQ(event.outputs.at(0), (base::Dims{1, 2}));
      EXPECT_EQ(event.live_bytes, 8);
    }
    if (event.node == "in the body") {
      EXPECT_GE(event.live_bytes, 16) << "what goes around, and what was captured";
    }
    if (event.node == "output") {
      EXPECT_GE(event.live_bytes, 8);
    }
    EXPECT_STREQ(event.provider, "cpu");
    EXPECT_STRNE(event.kernel, "");
    EXPECT_FALSE(event.node.empty());
    inside += event.node == "in the body" && event.depth == 1 && event.op() == "Add";
  }
  EXPECT_EQ(observer.live_bytes, 0) << "after the run";
  EXPECT_EQ(ops["Add"], 3) << "one, and one an iteration";
  EXPECT_EQ(inside, 2);
  EXPECT_EQ(ops["Loop"], 1);
  EXPECT_EQ(ops["NonZero"], 1);
  EXPECT_EQ(ops["Neg"], 1);
  EXPECT_EQ(ops.count("Shape"), 0u) << "folded when the run was planned";
}

TEST(Profile, KeepsAMillionEventsAndCountsTheRest) {
  run::Observer observer;
  observer.events.resize(run::Observer::kMostEvents - 1);
  for (int i = 0; i < 3; ++i) observer.note({.begin_ns = i});
  EXPECT_EQ(observer.events.size(), run::Observer::kMostEvents);
  EXPECT_EQ(observer.events.back().begin_ns, 0);
  EXPECT_EQ(observer.left_out, 2);
}

}  // namespace
}  // namespace onnxrun::testing
