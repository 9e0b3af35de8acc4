// Loops and scans that run zero times: what they would have stacked has the shape that one step would have given it.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

namespace {

using onnxrun::Model;
using onnxrun::Session;
using onnxrun::Shape;
using onnxrun::Tensor;

Model model(const std::string& graph) {
  return Model::from_text("onnxrun text 1\nir_version 10\nopset ai.onnx 21\n" + graph);
}

Tensor zeros(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape) count *= dim;
  return Tensor::from(shape, std::vector<float>(static_cast<size_t>(count)));
}

TEST(EmptyLoops, StackWhatFollowsFromCaptures) {
  const Model looping = model(R"(graph g(x: float32[n,m], trips: int64[]) -> (all) {
  all = Loop(trips, _) body: graph b(i: int64[], go: bool[]) -> (go_on, item) {
    go_on = Identity(go)
    item = Relu(x)
  }
})");
  for (const char* level : {"0", "3"}) {
    const Session session(looping, {{"level", level}});
    for (const int64_t trips : {0, 2}) {
      const auto results = session.run({{"x", zeros({2, 7})}, {"trips", Tensor::from<int64_t>({}, {trips})}});
      EXPECT_EQ(Tensor(results.at("all")).shape(), (Shape{trips, 2, 7})) << level;
    }
  }
}

TEST(EmptyLoops, StackWhatFollowsFromSlices) {
  const Model scanning = model(R"(graph g(s: float32[m], x: float32[n,m,3]) -> (last, all) {
  last, all = Scan(s, x, num_scan_inputs=1, scan_output_axes=[1]) body: graph b(state: float32[m], slice: float32[m,3]) -> (next, item) {
    next = Relu(state)
    item = Transpose(slice, perm=[1, 0])
  }
})");
  for (const char* level : {"0", "3"}) {
    const Session session(scanning, {{"level", level}});
    for (const int64_t steps : {0, 2}) {
      const auto results = session.run({{"s", zeros({5})}, {"x", zeros({steps, 5, 3})}});
      EXPECT_EQ(Tensor(results.at("all")).shape(), (Shape{3, steps, 5})) << level;
      EXPECT_EQ(Tensor(results.at("last")).shape(), (Shape{5}));
    }
  }
}

TEST(EmptyLoops, StackWhatFollowsWhereOtherNodesDoNotFit) {
  const Model scanning = model(R"(graph g(s: float32[k], x: float32[n,m]) -> (last, all) {
  last, all = Scan(s, x, num_scan_inputs=1) body: graph b(state: float32[k], slice: float32[m]) -> (next, item) {
    item = Relu(slice)
    next = Max(state, item)
  }
})");
  const Session session(scanning);
  const auto results = session.run({{"s", zeros({5})}, {"x", zeros({0, 3})}});
  EXPECT_EQ(Tensor(results.at("all")).shape(), (Shape{0, 3}));
}

TEST(EmptyLoops, AskNothingOfABodyThatCouldNotRun) {
  const Model looping = model(R"(graph g(x: float32[n], y: float32[m], trips: int64[]) -> (all) {
  all = Loop(trips, _) body: graph b(i: int64[], go: bool[]) -> (go_on, item) {
    go_on = Identity(go)
    item = Add(x, y)
  }
})");
  const Session session(looping);
  const auto results =
      session.run({{"x", zeros({2})}, {"y", zeros({3})}, {"trips", Tensor::from<int64_t>({}, {int64_t{0}})}});
  EXPECT_EQ(Tensor(results.at("all")).shape()[0], 0);
}

}  // namespace
