// Weights that lie unaligned in a file: those that are only packed stay there, everybody else reads an aligned copy.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "integration/small_models.h"

namespace onnxrun::testing {
namespace {

using base::Buffer;
using base::DType;
using base::Tensor;

// Floats `first`, `first` + `step`, ... one byte behind an aligned address.
struct Unaligned {
  Tensor values, tensor;
  explicit Unaligned(base::Dims dims) : values(filled(dims, 0.5f, 0.001f)) {
    auto bytes = std::make_shared<std::vector<char>>(values.bytes() + base::kAlignment + 1);
    const size_t over = reinterpret_cast<uintptr_t>(bytes->data()) % base::kAlignment;
    char* const at = bytes->data() + (base::kAlignment - over) + 1;
    std::memcpy(at, values.raw(), values.bytes());
    tensor = Tensor(DType::kFloat32, std::move(dims), Buffer::wrap_unaligned(at, values.bytes(), bytes));
  }
  bool was_copied() const { return !tensor.is_unaligned(); }
};

std::vector<float> product(const Tensor& a, const Tensor& b) {
  const int64_t m = a.dims()[0], k = a.dims()[1], n = b.dims()[1];
  std::vector<float> result(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += static_cast<double>(a.data<float>()[i * k + p]) * static_cast<double>(b.data<float>()[p * n + j]);
      result[static_cast<size_t>(i * n + j)] = static_cast<float>(sum);
    }
  return result;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-4f * (1 + std::abs(want[i]))) << i;
}

std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.span<float>();
  return {values.begin(), values.end()};
}

TEST(UnalignedWeights, ArePackedFromWhereTheyLie) {
  SmallModel m;
  const Unaligned w({40, 70});
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {ir::Dim::symbol("n"), 40});
  m.output(m.g.add("MatMul", {x, m.g.constant(w.tensor)}, "y"));
  const auto session = m.session();
  for (int64_t n : {3, 5, 3}) {
    const Tensor input = filled({n, 40}, 0.25f, 0.01f);
    expect_near(floats_of(run_with(*session, {{"x", input}})[0]), product(input, w.values));
  }
  EXPECT_FALSE(w.was_copied());
}

TEST(UnalignedWeights, AreCopiedOnceForThoseWhoReadThem) {
  SmallModel m;
  const Unaligned w({40, 40});
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {40, 40});
  const ir::ValueId weights = m.g.constant(w.tensor);
  m.output(m.g.add("MatMul", {x, weights}, "y"));
  m.output(m.g.add("Add", {x, weights}, "z"));
  const auto session = m.session();
  const Tensor input = filled({40, 40}, 1.0f);
  for (int run = 0; run < 2; ++run) {
    const auto outputs = run_with(*session, {{"x", input}});
    expect_near(floats_of(outputs[0]), product(input, w.values));
    std::vector<float> sums = floats(w.values);
    for (float& value : sums) value += 1.0f;
    EXPECT_EQ(floats_of(outputs[1]), sums);
  }
  EXPECT_TRUE(w.was_copied());
}

// The second stream finds the copy that the first one had made.
TEST(UnalignedWeights, AreSharedByStreamsOnceCopied) {
  SmallModel m;
  const Unaligned w({40, 40});
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {40, 40});
  m.output(m.g.add("Add", {x, m.g.constant(w.tensor)}, "z"));
  const auto session = m.session(cpu_only(), {}, 2);
  std::vector<float> sums = floats(w.values);
  for (float& value : sums) value += 1.0f;
  std::vector<std::thread> callers;
  std::vector<std::vector<float>> got(4);
  for (auto& result : got)
    callers.emplace_back([&] { result = floats_of(run_with(*session, {{"x", filled({40, 40}, 1.0f)}})[0]); });
  for (std::thread& caller : callers) caller.join();
  for (const auto& result : got) EXPECT_EQ(result, sums);
}

TEST(UnalignedWeights, AreReadThroughViews) {
  SmallModel m;
  const Unaligned w({6, 8});
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {4, 12});
  const ir::ValueId viewed = m.g.add("Reshape", {m.g.constant(w.tensor), m.g.ints({4, 12})});
  m.output(m.g.add("Mul", {x, viewed}, "y"));
  const auto session = m.session();
  EXPECT_EQ(floats_of(run_with(*session, {{"x", filled({4, 12}, 1.0f)}})[0]), floats(w.values));
}

TEST(UnalignedWeights, AreReadByBodies) {
  SmallModel m;
  const Unaligned w({6, 8});
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {6, 8});
  const ir::ValueId condition = m.g.input("c", DType::kBool, {});
  const ir::ValueId weights = m.g.constant(w.tensor);
  std::vector<ir::Body> bodies;
  for (const char* name : {"then_branch", "else_branch"}) {
    ir::Body body{name, std::make_unique<ir::Graph>(&m.g.graph())};
    const ir::ValueId captured = body.graph->capture(weights, "captured"), given = body.graph->capture(x, "given");
    GraphBuilder inner(*body.graph);
    body.graph->add_output(inner.add(name[0] == 't' ? "Add" : "Sub", {given, captured}));
    bodies.push_back(std::move(body));
  }
  m.output(m.g.add_many("If", {condition}, 1, {}, std::move(bodies)).front());
  const auto session = m.session();
  EXPECT_EQ(floats_of(run_with(*session, {{"x", filled({6, 8}, 0.0f)}, {"c", Tensor::scalar(true)}})[0]),
            floats(w.values));
}

TEST(UnalignedWeights, AreGivenAsOutputs) {
  SmallModel m;
  const Unaligned w({6, 8});
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {1});
  m.output(m.g.constant(w.tensor));
  m.output(m.g.add("Neg", {x}, "y"));
  const auto session = m.session();
  EXPECT_EQ(floats_of(run_with(*session, {{"x", filled({1}, 1.0f)}})[0]), floats(w.values));
}

TEST(UnalignedWeights, AreCopiedToDevices) {
  SmallModel m;
  const Unaligned w({6, 8});
  const ir::ValueId x = m.g.input("x", DType::kFloat32, {6, 8});
  m.output(m.g.add("Add", {x, m.g.constant(w.tensor)}, "y"));
  const auto session = m.session(late_first());
  EXPECT_EQ(floats_of(run_with(*session, {{"x", filled({6, 8}, 0.0f)}})[0]), floats(w.values));
}

}  // namespace
}  // namespace onnxrun::testing
