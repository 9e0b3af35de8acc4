// Copies beside kernels: they overtake those that they do not depend on, and no others, whichever streams of the double run ahead.
#include "on_double.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>

namespace {

using on_double::cuda;
using on_double::model_of;
using on_double::Variable;
using onnxrun::Tensor;

std::vector<float> numbers(size_t count, float first) {
  std::vector<float> result(count);
  for (size_t i = 0; i < count; ++i) result[i] = first + static_cast<float>(i % 17) / 4;
  return result;
}

onnxrun::Options at_level_0(onnxrun::Options options) {
  options.set("level", "0");
  return options;
}

// Streams of a session are made in this order when they are first used: that of kernels, that of copies to the device, that of copies from it.
constexpr int kAllLate = 0, kCopiesAhead = 6, kOrders = 8;

onnxrun::Results run_in_order(const onnxrun::Session& session, const onnxrun::NamedValues& inputs, int ahead) {
  const Variable eager("CUDA_DOUBLE_EAGER", std::to_string(ahead));
  cuda_double_start();
  return session.run(inputs);
}

void expect_equal(const onnxrun::Results& results, const onnxrun::Results& expected, int ahead) {
  on_double::expect_near(results, expected, 1e-4, "order " + std::to_string(ahead));
}

TEST(CudaCopies, GoOnBesideKernels) {
  const onnxrun::Model model = model_of("x: float32[64], z: float32[64]", "early, late",
                                        "early = Neg(x)\n a = Abs(early)\n b = Exp(a)\n late = Add(b, z)");
  const onnxrun::NamedValues inputs{{"x", Tensor::from<float>({64}, numbers(64, -2))},
                                    {"z", Tensor::from<float>({64}, numbers(64, 3))}};
  const onnxrun::Results expected = onnxrun::Session(model, {{"level", "0"}}).run(inputs);
  // The second kernel writes where the first output lies, so that is copied before, at the latest.
  for (const auto& [ahead, history] : {std::pair(kAllLate, "ukdkkukd"), std::pair(kCopiesAhead, "ukdukkkd")}) {
    const onnxrun::Session session(model, at_level_0(cuda()));
    expect_equal(run_in_order(session, inputs, ahead), expected, ahead);
    EXPECT_STREQ(cuda_double_history(), history);
  }
}

// Large results are taken over one by one while others are under way, in whichever order streams work.
TEST(CudaCopies, OfMuchAreTakenOverAsTheyArrive) {
  const onnxrun::Model model =
      model_of("x: float32[n]", "a, small, b, c", "a = Neg(x)\n small = ReduceMax(a)\n b = Abs(a)\n c = Add(b, x)");
  const onnxrun::NamedValues inputs{{"x", Tensor::from<float>({400000}, numbers(400000, -2))}};
  const onnxrun::Results expected = onnxrun::Session(model, {{"level", "0"}}).run(inputs);
  const onnxrun::Session session(model, at_level_0(cuda()));
  for (int ahead = 0; ahead < kOrders; ++ahead) expect_equal(run_in_order(session, inputs, ahead), expected, ahead);
}

// Memory that the device reaches by itself, as its owner has it from CUDA, is read and written without a detour.
TEST(CudaCopies, OfPinnedMemoryTakeNoDetour) {
  constexpr size_t kCount = 50000;
  void *in = nullptr, *out = nullptr;
  ASSERT_EQ(cudaHostAlloc(&in, kCount * sizeof(float), cudaHostAllocDefault), cudaSuccess);
  ASSERT_EQ(cudaHostAlloc(&out, kCount * sizeof(float), cudaHostAllocDefault), cudaSuccess);
  const std::vector<float> values = numbers(kCount, -2);
  std::copy(values.begin(), values.end(), static_cast<float*>(in));
  const onnxrun::Model model = model_of("x: float32[n]", "y", "a = Neg(x)\n y = Exp(a)");
  const auto x = Tensor::wrap<float>({kCount}, {static_cast<float*>(in), kCount});
  const auto y = Tensor::wrap<float>({kCount}, {static_cast<float*>(out), kCount});
  const onnxrun::Results expected = onnxrun::Session(model, {{"level", "0"}}).run({{"x", x}});
  for (int ahead = 0; ahead < kOrders; ++ahead) {
    const Variable eager("CUDA_DOUBLE_EAGER", std::to_string(ahead));
    cuda_double_start();
    int64_t device = 0, before = 0, after = 0;
    cuda_double_held(&device, &before);
    const onnxrun::Session session(model, at_level_0(cuda()));
    onnxrun::Run run(session);
    run.set_input("x", x);
    run.set_output("y", y);
    for (int i = 0; i < 3; ++i) {
      std::fill_n(static_cast<float*>(out), kCount, 0.0f);
      expect_equal(run.execute(), expected, ahead);
    }
    cuda_double_held(&device, &after);
    EXPECT_EQ(after, before) << "memory for a detour was made";
  }
  cudaFreeHost(in);
  cudaFreeHost(out);
}

// Strings are the host's: values go there and back while memory on both sides is used again and again.
TEST(CudaCopies, ComeAfterWhatTheyDependOn) {
  const onnxrun::Model model =
      model_of("x: float32[n], y: float32[n], z: float32[n], w: float32[n]", "early, mid, late",
               R"(early = Neg(x)
  a = Abs(early)
  b = Exp(a)
  c = Mul(b, y)
  text = Cast(c, to=8)
  g = Cast(text, to=1)
  k = Sqrt(b)
  l = Add(k, k)
  mid = Mul(l, g)
  d = Add(g, mid)
  e = Neg(d)
  text2 = Cast(e, to=8)
  f = Add(e, z)
  q = Abs(f)
  h = Cast(text2, to=1)
  r = Sub(q, h)
  late = Mul(r, w))");
  for (int ahead = 0; ahead < kOrders; ++ahead) {
    const onnxrun::Session session(model, at_level_0(cuda())), on_cpu(model, {{"level", "0"}});
    for (const int64_t n : {64, 3000, 64}) {
      const auto input = [&](float first) { return Tensor::from<float>({n}, numbers(static_cast<size_t>(n), first)); };
      const onnxrun::NamedValues inputs{{"x", input(-2)}, {"y", input(0.5f)}, {"z", input(1)}, {"w", input(-1)}};
      expect_equal(run_in_order(session, inputs, ahead), on_cpu.run(inputs), ahead);
    }
  }
}

// No kernel stands between the two copies.
TEST(CudaCopies, BringBackWhatTheyBrought) {
  const onnxrun::Model model = model_of("x: float32[64]", "y", "y = Identity(x)");
  const onnxrun::NamedValues inputs{{"x", Tensor::from<float>({64}, numbers(64, -2))}};
  for (int ahead = 0; ahead < kOrders; ++ahead) {
    const onnxrun::Session session(model, at_level_0(cuda()));
    expect_equal(run_in_order(session, inputs, ahead), onnxrun::Results({{"y", inputs[0].second}}), ahead);
  }
}

}  // namespace
