// Loops: what is captured is copied once, plans of bodies are used again, a growing state seldom needs new memory, and many shapes do not fill the memory.
#include <gtest/gtest.h>
#include <malloc.h>

#include "integration/spying_provider.h"

namespace onnxrun::testing {
namespace {

using base::Tensor;

// state = op(state, captured) `trips` times, the weights being captured.
struct LoopModel : SmallModel {
  explicit LoopModel(const char* op, bool constant_weights, ir::Attributes attributes = {},
                     ir::Shape weights_shape = {ir::Dim(2)}, ir::Shape state_shape = {ir::Dim(2)}) {
    const auto trips = g.input("trips", base::DType::kInt64, {});
    const auto x = g.input("x", base::DType::kFloat32, state_shape);
    const auto w = constant_weights
                       ? g.constant(filled({2}, 1.0f))
                       : g.add("Neg", {g.input("w", base::DType::kFloat32, std::move(weights_shape))}, "weights");
    ir::Body body{"body", std::make_unique<ir::Graph>(&g.graph())};
    GraphBuilder inner(*body.graph);
    inner.input("i", base::DType::kInt64, {});
    const auto go = inner.input("go", base::DType::kBool, {});
    const auto state = inner.input("state", base::DType::kFloat32, state_shape);
    const auto captured = body.graph->capture(w, "captured");
    inner.graph().add_output(inner.add("Identity", {go}));
    inner.graph().add_output(inner.add(op, {state, captured}, "next", std::move(attributes)));
    std::vector<ir::Body> bodies;
    bodies.push_back(std::move(body));
    output(g.add_many("Loop", {trips, ir::kNone, x}, 1, {}, std::move(bodies)).front());
  }
};

int copies_of(run::Session& session, int64_t trips, bool weights) {
  run::Observer observer;
  observer.profile = true;
  Named inputs{{"trips", Tensor::scalar(trips)}, {"x", filled({2}, 0.0f)}};
  if (weights) inputs.emplace_back("w", filled({2}, -1.0f));
  const auto outputs = run_with(session, inputs, &observer);
  EXPECT_EQ(floats_of(outputs[0])[0], static_cast<float>(trips));
  int copies = 0;
  for (const run::ProfileEvent& event : observer.events) copies += event.op() == "Copy" && event.node == "captured";
  return copies;
}

TEST(Captures, AreCopiedToADeviceOnceForAllIterations) {
  for (const bool constant : {true, false}) {
    const auto session = LoopModel("Add", constant).session(late_first());
    EXPECT_EQ(copies_of(*session, 5, !constant), 0) << "no copy inside the body";
    run::Observer observer;
    observer.profile = true;
    Named inputs{{"trips", Tensor::scalar<int64_t>(7)}, {"x", filled({2}, 0.0f)}};
    if (!constant) inputs.emplace_back("w", filled({2}, -1.0f));
    run_with(*session, inputs, &observer);
    int inner_copies = 0, adds = 0;
    for (const run::ProfileEvent& event : observer.events) {
      inner_copies += event.depth == 1 && event.op() == "Copy";
      adds += std::string_view(event.provider) == "late" && event.op() == "Add";
    }
    EXPECT_EQ(adds, 7);
    EXPECT_EQ(inner_copies, 14) << "the state there and back";
  }
}

// Bytes that live, of malloc and of large blocks.
size_t live_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(Shapes, ManyDifferentOnesFillNoMemory) {
#if defined(ONNXRUN_ADDRESS_SANITIZER) || defined(ONNXRUN_THREAD_SANITIZER)
  GTEST_SKIP() << "sanitizers have a malloc of their own";
#endif
  SmallModel m;
  const auto x = m.g.input("x", base::DType::kFloat32, {ir::Dim::symbol("n")});
  const auto y = m.g.add("Softmax", {m.g.add("Relu", {x})});
  m.output(m.g.add("Mul", {y, m.g.add("Sqrt", {m.g.add("Abs", {x})})}));
  m.output(m.g.add("Neg", {m.g.add("NonZero", {x})}));  // a segment for each count of non-zeros
  base::Limits limits;
  limits.max_plan_bytes = 256 << 10;
  const auto session = m.session(cpu_only(), limits);
  const auto run = [&](int64_t n) {
    run_with(*session, {{"x", filled({n % 100 + 1}, static_cast<float>(n % 7) - 3.0f, 0.5f)}});
  };
  const auto run_distinct = [&](int64_t n) { run_with(*session, {{"x", filled({n + 1}, -1.0f, 0.5f)}}); };
  for (int64_t n = 0; n < 1000; ++n) run_distinct(n % 1000);
  const size_t before = live_bytes();
  for (int64_t n = 0; n < 10000; ++n) n % 2 ? run(n) : run_distinct(n % 1000);
  for (int64_t n = 0; n < 1000; ++n) run_distinct(n % 1000);
  const size_t after = live_bytes();
  EXPECT_LT(after, before + (1 << 20)) << before << " before";
}

TEST(PlansOfBodies, AreUsedAgain) {
  const auto session = LoopModel("Add", true).session(spying_cpu());
  const auto run = [&](int64_t trips, int64_t size) {
    Spy::binds = 0;
    const auto outputs = run_with(*session, {{"trips", Tensor::scalar(trips)}, {"x", filled({size}, 0.0f)}});
    EXPECT_EQ(floats_of(outputs[0]).front(), static_cast<float>(trips));
    return Spy::binds;
  };
  EXPECT_EQ(run(100, 2), 1) << "one plan for all iterations";
  EXPECT_EQ(run(7, 2), 0) << "and for later runs";
}

TEST(GrowingState, KeepsItsElements) {
  // The state grows by two elements in each of 1,000 iterations.
  const auto session = LoopModel("Concat", true, {{"axis", int64_t{0}}}, {ir::Dim(2)}, {ir::Dim()}).session();
  const Named inputs{{"trips", Tensor::scalar<int64_t>(1000)}, {"x", filled({2}, 0.0f)}};
  const auto outputs = run_with(*session, inputs);
  EXPECT_EQ(outputs[0].tensor().dims(), (base::Dims{2002}));
  EXPECT_EQ(floats_of(outputs[0])[1], 0.0f);
  for (size_t i = 2; i < 2002; ++i) ASSERT_EQ(floats_of(outputs[0])[i], 1.0f) << i;
}

}  // namespace
}  // namespace onnxrun::testing
