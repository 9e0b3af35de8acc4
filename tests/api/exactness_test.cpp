// Level 1 changes no bit: what sizes compute wraps as in a run, files keep subnormal numbers, and constants come from the kernels that were asked for.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

#include <string>
#include <vector>

namespace {

using onnxrun::Model;
using onnxrun::Session;
using onnxrun::Tensor;

Model model(const std::string& graph) {
  return Model::from_text("onnxrun text 1\nir_version 10\nopset ai.onnx 21\n" + graph);
}

std::vector<float> run(const Model& model, const char* level, int64_t n, const char* kernels = "fastest") {
  const Session session(model, {{"level", level}, {"kernels", kernels}, {"denormals", "keep"}});
  const auto results = session.run({{"x", Tensor::from<float>({n}, std::vector<float>(static_cast<size_t>(n)))}});
  const Tensor y(results.at("y"));
  return {y.span<float>().begin(), y.span<float>().end()};
}

TEST(ShapeArithmetic, WrapsAsInARun) {
  const struct {
    const char* nodes;
    int64_t n;
  } cases[] = {
      {"i = Cast(s, to=6)\n k: int32[1] = {1073741824}\n z: int32[1] = {0}\n a = Mul(i, k)\n c = Less(a, z)", 2},
      {"i = Cast(s, to=6)\n k: int32[1] = {46341}\n z: int32[1] = {0}\n a = Mul(i, k)\n b = Mul(a, k)\n c = Less(b, z)",
       1},
      {"k: int64[1] = {4611686018427387904}\n z: int64[1] = {0}\n a = Mul(s, k)\n c = Less(a, z)", 2},
      {"k: int64[1] = {2147483648}\n z: int64[1] = {0}\n a = Mul(s, k)\n i = Cast(a, to=6)\n b = Cast(i, to=7)\n"
       " c = Less(b, z)",
       1},
  };
  for (const auto& [nodes, n] : cases) {
    const Model wraps =
        model(std::string("graph g(x: float32[n]) -> (y) {\n s = Shape(x)\n ") + nodes + "\n y = Cast(c, to=1)\n}");
    const std::vector<float> expected = run(wraps, "0", n);
    EXPECT_EQ(expected.front(), 1) << nodes;
    for (const char* level : {"1", "2", "3"}) EXPECT_EQ(run(wraps, level, n), expected) << level << nodes;
  }
}

// A size of 0 that is asked for means the input's, which only a run can tell.
TEST(ShapeArithmetic, ASizeOfZeroMayMeanTheInputs) {
  const Model reshaped = model(R"(graph g(x: float32[n], d: float32[m,3]) -> (y) {
  s = Shape(x)
  three: int64[1] = {3}
  wanted = Concat(s, three, axis=0)
  r = Reshape(d, wanted)
  found = Shape(r)
  apart = Sub(found, wanted)
  y = Cast(apart, to=1)
})");
  for (const char* level : {"0", "1", "2", "3"}) {
    const Session session(reshaped, {{"level", level}});
    const auto results = session.run({{"x", Tensor::from<float>({0}, std::vector<float>())},
                                      {"d", Tensor::from<float>({4, 3}, std::vector<float>(12))}});
    EXPECT_EQ(Tensor(results.at("y")).span<float>()[0], 4) << level;
  }
}

TEST(SavedFiles, KeepSubnormalNumbers) {
  const Model made = model(R"(graph g(x: float32[n]) -> (y) {
  a: float32[1] = {1e-20}
  small = Mul(a, a)
  y = Add(x, small)
})");
  const std::string bytes = made.optimized({{"level", "1"}}).to_bytes();
  const std::vector<float> y = run(Model(std::as_bytes(std::span(bytes))), "0", 1);
  EXPECT_GT(y.front(), 0);
  EXPECT_EQ(y, run(made, "0", 1));
}

TEST(Folding, ByReferenceKernelsWhereAskedFor) {
  std::string numbers;
  for (int i = 0; i < 40; ++i) numbers += (i ? ", " : "") + std::to_string(0.37 * i - 5);
  const Model made = model("graph g(x: float32[40]) -> (y) {\n c: float32[40] = {" + numbers +
                           "}\n s = Softmax(c)\n y = Add(x, s)\n}");
  EXPECT_EQ(run(made, "1", 40, "reference"), run(made, "0", 40, "reference"));
}

}  // namespace
