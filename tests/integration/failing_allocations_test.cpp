// Whichever allocation fails while a model is loaded and run, there is an error, nothing is lost, and the session runs afterwards.
#include <gtest/gtest.h>
#include <malloc.h>

#include "api/c_calls.h"
#include "import/export.h"
#include "integration/allocation_count.h"
#include "integration/small_models.h"

namespace onnxrun::testing {
namespace {

using base::DType;
using base::Tensor;
using c_calls::Handle;
using c_calls::Outcome;
using ir::ValueId;

std::string bytes_of(const SmallModel& m) {
  import::ExportOptions options;
  options.table = &operators();
  return import::export_bytes(*m.model, options);
}

// All take x, float32 [n, 4], and give one tensor.
std::string elementwise() {
  SmallModel m;
  const ValueId x = m.g.input("x", DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(4)});
  const ValueId product = m.g.add("MatMul", {x, m.g.constant(filled({4, 5}, 0.5f, 0.25f))});
  m.output(
      m.g.add("Softmax", {m.g.add("Relu", {m.g.add("Add", {product, m.g.constant(filled({5}, -1.0f, 1.0f))})})}, "y"));
  return bytes_of(m);
}

// Shapes that depend on values: more than one segment, and tensors outside planned memory.
std::string data_dependent() {
  SmallModel m;
  const ValueId x = m.g.input("x", DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(4)});
  const ValueId places = m.g.add("NonZero", {x});
  const ValueId count = m.g.add("Shape", {m.g.add("Transpose", {places})});
  m.output(m.g.add("Expand", {m.g.add("ReduceSum", {x}), count}, "y"));
  return bytes_of(m);
}

// Nothing that oneDNN computes: it does not check its own allocations.
std::string pooled() {
  SmallModel m;
  const ValueId x = m.g.input("x", DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(4)});
  const ValueId image = m.g.add("Reshape", {x, m.g.ints({-1, 1, 2, 2})});
  const ValueId large = m.g.add("Resize", {image, ir::kNone, m.g.constant(filled({4}, 1.0f, 0.5f))});
  const ValueId made = m.g.add("AveragePool", {large}, {}, {{"kernel_shape", std::vector<int64_t>{2, 1}}});
  m.output(m.g.add("GlobalAveragePool", {m.g.add("Sigmoid", {made})}, "y"));
  return bytes_of(m);
}

Handle<onnxrun_value> input() { return c_calls::floats({2, 4}, {1, 0, 3, 4, -5, 6, 0, 8}); }

// One thread, so that all is done by the one whose allocations fail.
Handle<onnxrun_options> options() {
  auto made = c_calls::made<onnxrun_options>([](auto** out) { return c_calls::api().options_create(out); });
  EXPECT_OK(c_calls::api().options_set(made.get(), "threads", "1"));
  return made;
}

// The code of the first call that failed.
onnxrun_code run_once(onnxrun_session* session, onnxrun_value* x) {
  onnxrun_run* run = nullptr;
  onnxrun_code code = Outcome(c_calls::api().run_create(session, &run)).code;
  const Handle<onnxrun_run> held(run);
  if (code == ONNXRUN_OK) code = Outcome(c_calls::api().run_set_input(run, "x", x)).code;
  if (code == ONNXRUN_OK) code = Outcome(c_calls::api().run_execute(run)).code;
  return code;
}

onnxrun_code load_and_run(const std::string& bytes, onnxrun_options* options, onnxrun_value* x) {
  onnxrun_model* model = nullptr;
  onnxrun_code code = Outcome(c_calls::api().model_load_bytes(bytes.data(), bytes.size(), options, &model)).code;
  const Handle<onnxrun_model> held(model);
  if (code != ONNXRUN_OK) return code;
  onnxrun_session* session = nullptr;
  code = Outcome(c_calls::api().session_create(model, options, &session)).code;
  const Handle<onnxrun_session> kept(session);
  return code == ONNXRUN_OK ? run_once(session, x) : code;
}

class FailingAllocations : public ::testing::TestWithParam<std::string (*)()> {};

TEST_P(FailingAllocations, OfLoadingAndRunning) {
  if (!counts_allocations()) GTEST_SKIP() << "a sanitizer brings its own malloc";
  const std::string bytes = GetParam()();
  const auto x = input();
  const auto settings = options();
  ASSERT_EQ(load_and_run(bytes, settings.get(), x.get()), ONNXRUN_OK);
  // The first time, what is kept for good is made as well.
  size_t before = 0;
  for (int time = 0; time < 2; ++time) {
    before = mallinfo2().uordblks;
    int64_t errors = 0;
    bool more = true;
    for (int64_t n = 0; more; ++n) {
      fail_allocation(n);
      const onnxrun_code code = load_and_run(bytes, settings.get(), x.get());
      more = stop_failing();
      if (code == ONNXRUN_OK) continue;
      ++errors;
      EXPECT_EQ(code, ONNXRUN_LIMIT_EXCEEDED) << "allocation " << n;
    }
    EXPECT_GT(errors, 100);
  }
  EXPECT_LE(mallinfo2().uordblks, before + 1024);
}

TEST_P(FailingAllocations, OfARunLeaveTheSessionUsable) {
  if (!counts_allocations()) GTEST_SKIP() << "a sanitizer brings its own malloc";
  const std::string bytes = GetParam()();
  const auto x = input();
  const auto settings = options();
  const auto model = c_calls::made<onnxrun_model>(
      [&](auto** out) { return c_calls::api().model_load_bytes(bytes.data(), bytes.size(), settings.get(), out); });
  bool more = true;
  for (int64_t n = 0; more; ++n) {
    const auto session = c_calls::made<onnxrun_session>(
        [&](auto** out) { return c_calls::api().session_create(model.get(), settings.get(), out); });
    fail_allocation(n);
    const onnxrun_code code = run_once(session.get(), x.get());
    more = stop_failing();
    EXPECT_TRUE(code == ONNXRUN_OK || code == ONNXRUN_LIMIT_EXCEEDED) << "allocation " << n << ": " << code;
    EXPECT_EQ(run_once(session.get(), x.get()), ONNXRUN_OK) << "after allocation " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, FailingAllocations, ::testing::Values(elementwise, data_dependent, pooled));

}  // namespace
}  // namespace onnxrun::testing
