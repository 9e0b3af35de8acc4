// Weights of a session's own that are only read packed: the form they had is freed, and results are those of weights that are kept.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "integration/small_models.h"

namespace onnxrun::testing {
namespace {

using base::DType;
using base::Tensor;

constexpr int64_t kDepth = 96, kColumns = 80;

Tensor weights() { return filled({kDepth, kColumns}, -0.5f, 0.0003f); }

// y = x w; with `read_beside`, z = x + w as well.
std::unique_ptr<run::Session> product_session(Tensor w, bool read_beside = false) {
  SmallModel m;
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {ir::Dim::symbol("n"), kDepth});
  const ir::ValueId constant = m.g.constant(std::move(w));
  m.output(m.g.add("MatMul", {x, constant}, "y"));
  if (read_beside) m.output(m.g.add("ReduceSum", {constant}, "z"));
  return m.session();
}

TEST(GivenUpWeights, AreFreedOncePacked) {
  Tensor w = weights();
  const std::weak_ptr<base::Buffer> watch = w.buffer();
  const auto session = product_session(std::move(w));
  EXPECT_TRUE(watch.expired());
  EXPECT_GE(session->program().packed_bytes(), kDepth * kColumns * 4);
}

TEST(GivenUpWeights, GiveTheSameResultsAtAllShapes) {
  const Tensor kept = weights();  // whose elements others hold, too
  const auto session = product_session(weights());
  std::vector<char> file(kept.bytes() + 64);
  char* const at = file.data() + (64 - reinterpret_cast<uintptr_t>(file.data()) % 64) % 64;
  std::copy_n(static_cast<const char*>(kept.raw()), kept.bytes(), at);
  const auto mapped =
      product_session(Tensor(DType::kFloat32, {kDepth, kColumns}, base::Buffer::wrap(at, kept.bytes(), nullptr)));
  for (const int64_t rows : {1, 2, 7, 64, 300, 1, 7}) {
    const Tensor x = filled({rows, kDepth}, 0.25f, 0.01f);
    EXPECT_EQ(floats_of(run_with(*session, {{"x", x}})[0]), floats_of(run_with(*mapped, {{"x", x}})[0])) << rows;
  }
}

TEST(GivenUpWeights, AreKeptForThoseWhoReadThem) {
  Tensor w = weights();
  const std::weak_ptr<base::Buffer> watch = w.buffer();
  double sum = 0;
  for (const float value : w.span<float>()) sum += static_cast<double>(value);
  const auto session = product_session(std::move(w), true);
  EXPECT_FALSE(watch.expired());
  const auto outputs = run_with(*session, {{"x", filled({3, kDepth}, 1.0f)}});
  EXPECT_NEAR(floats_of(outputs[1])[0], sum, 1e-2);
}

TEST(GivenUpWeights, AreKeptForOutputsAndBodies) {
  for (const bool as_output : {true, false}) {
    SmallModel m;
    Tensor w = weights();
    const std::weak_ptr<base::Buffer> watch = w.buffer();
    const ir::ValueId x = m.g.input("x", DType::kFloat32, {3, kDepth});
    const ir::ValueId constant = m.g.constant(std::move(w));
    m.output(m.g.add("MatMul", {x, constant}, "y"));
    if (as_output) {
      m.output(constant);
    } else {
      const ir::ValueId condition = m.g.input("c", DType::kBool, {});
      std::vector<ir::Body> bodies;
      for (const char* name : {"then_branch", "else_branch"}) {
        ir::Body body{name, std::make_unique<ir::Graph>(&m.g.graph())};
        const ir::ValueId captured = body.graph->capture(constant, "captured");
        GraphBuilder inner(*body.graph);
        body.graph->add_output(inner.add("Neg", {captured}));
        bodies.push_back(std::move(body));
      }
      m.output(m.g.add_many("If", {condition}, 1, {}, std::move(bodies)).front());
    }
    const auto session = m.session();
    EXPECT_FALSE(watch.expired());
    Named inputs{{"x", filled({3, kDepth}, 1.0f)}};
    if (!as_output) inputs.emplace_back("c", Tensor::scalar(true));
    const auto outputs = run_with(*session, inputs);
    const float last = floats_of(outputs[1]).back();
    EXPECT_EQ(as_output ? last : -last, weights().span<float>().back());
  }
}

TEST(GivenUpWeights, SayWhoAsksForThem) {
  const Tensor gone = weights().given_up();
  EXPECT_EQ(gone.dims(), (base::Dims{kDepth, kColumns}));
  EXPECT_EQ(gone.stored_view().data, nullptr);
  for (const auto& read : {+[](const Tensor& t) { (void)t.raw(); }, +[](const Tensor& t) { (void)t.clone(); },
                           +[](const Tensor& t) { (void)t.apart(); }, +[](const Tensor& t) { (void)t.view(); }}) {
    try {
      read(gone);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), base::Code::kInternal);
    }
  }
}

}  // namespace
}  // namespace onnxrun::testing
