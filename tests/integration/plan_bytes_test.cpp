// What plans are counted as is what they take, with the states of their kernels, and their cap holds over thousands of different shapes.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <random>
#include <vector>

#include "integration/small_models.h"

namespace onnxrun::testing {
namespace {

using base::DType;
using ir::Dim;

#if defined(ONNXRUN_ADDRESS_SANITIZER) || defined(ONNXRUN_THREAD_SANITIZER)
#define SKIP_WITH_SANITIZERS() GTEST_SKIP() << "sanitizers have a malloc of their own"
#else
#define SKIP_WITH_SANITIZERS() static_cast<void>(0)
#endif

// Bytes that live, of malloc and of large blocks.
int64_t live_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

ir::Attributes one(const char* name, std::vector<int64_t> values) { return {{name, std::move(values)}}; }

// Each takes images [n, 8, h, w].
void convolutions(SmallModel& m) {
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {Dim::symbol("n"), 8, Dim::symbol("h"), Dim::symbol("w")});
  ir::ValueId y = x;
  for (int layer = 0; layer < 4; ++layer) {
    y = m.g.add("Conv", {y, m.g.constant(filled({8, 8, 3, 3}, 0.1f, 0.001f))}, "", one("pads", {1, 1, 1, 1}));
    y = m.g.add("Relu", {y});
  }
  m.output(m.g.add("GlobalAveragePool", {y}));
}

void pools(SmallModel& m) {
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {Dim::symbol("n"), 8, Dim::symbol("h"), Dim::symbol("w")});
  ir::Attributes attributes = one("kernel_shape", {3, 3});
  attributes.set("pads", std::vector<int64_t>{1, 1, 1, 1});
  m.output(m.g.add("AveragePool", {m.g.add("MaxPool", {x}, "", attributes)}, "", attributes));
}

void resizes(SmallModel& m) {
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {Dim::symbol("n"), 8, Dim::symbol("h"), Dim::symbol("w")});
  base::Tensor scales = filled({4}, 1.0f);
  scales.mutable_data<float>()[2] = scales.mutable_data<float>()[3] = 2.0f;
  m.output(m.g.add("Resize", {x, ir::kNone, m.g.constant(scales)}, "", {{"mode", std::string("linear")}}));
}

void products(SmallModel& m) {
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {Dim::symbol("n"), 8, Dim::symbol("h"), Dim::symbol("w")});
  const ir::ValueId turned = m.g.add("Transpose", {x}, "", one("perm", {0, 1, 3, 2}));
  const ir::ValueId scores = m.g.add("Softmax", {m.g.add("MatMul", {x, turned})});
  m.output(m.g.add("Add", {m.g.add("MatMul", {scores, x}), x}));
}

base::Tensor image(int64_t n, int64_t h, int64_t w) { return filled({n, 8, h, w}, 0.5f); }

TEST(PlanBytes, AreThoseThatPlansTake) {
  SKIP_WITH_SANITIZERS();
  for (const auto& [name, build] :
       {std::pair{"convolutions", &convolutions}, {"pools", &pools}, {"resizes", &resizes}, {"products", &products}}) {
    SmallModel m;
    build(m);
    const auto session = m.session();
    // The largest first: blocks and pools of memory do not grow after it.
    run_with(*session, {{"x", image(2, 64, 64)}});
    const int64_t live = live_bytes(), counted = session->plan_bytes();
    for (int64_t size = 63; size >= 24; --size) run_with(*session, {{"x", image(2, size, size)}});
    const auto took = static_cast<double>(live_bytes() - live);
    const auto said = static_cast<double>(session->plan_bytes() - counted);
    EXPECT_GT(said, 0.7 * took) << name;
    EXPECT_LT(said, 2.5 * took) << name;
  }
}

TEST(PlanBytes, StayBelowTheCapOverThousandsOfShapes) {
  SKIP_WITH_SANITIZERS();
  SmallModel m;
  convolutions(m);
  base::Limits limits;
  limits.max_plan_bytes = 1 << 20;
  const auto session = m.session(cpu_only(), limits);
  run_with(*session, {{"x", image(3, 60, 60)}});
  const int64_t before = live_bytes();
  std::mt19937 random(1);
  int64_t most = 0;
  for (int run = 0; run < 10000; ++run) {
    const auto draw = [&](unsigned high) { return static_cast<int64_t>(random() % high + 1); };
    run_with(*session, {{"x", image(draw(3), draw(60), draw(60))}});
    ASSERT_LE(session->plan_bytes(), limits.max_plan_bytes) << run;
    if (run % 100 == 0) most = std::max(most, live_bytes() - before);
  }
  EXPECT_LT(most, 2 * limits.max_plan_bytes);
}

}  // namespace
}  // namespace onnxrun::testing
