// What a file declares of its values beyond what follows from its inputs: shapes are never relied on, types are compared with what a run brings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

namespace {

using onnxrun::Code;
using onnxrun::Error;
using onnxrun::Model;
using onnxrun::Session;
using onnxrun::Tensor;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kLevels[] = {"0", "1", "2", "3"};

Model model(const std::string& graph) {
  return Model::from_text("onnxrun text 1\nir_version 10\nopset ai.onnx 21\n" + graph);
}

std::vector<int64_t> numbers(const Tensor& tensor) {
  const auto span = tensor.span<int64_t>();
  return {span.begin(), span.end()};
}

template <class Call>
std::string run_failure(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kRunFailed) << error.what();
    return error.what();
  }
  return "no error";
}

const Tensor kX = Tensor::from<float>({2, 3, 4}, std::vector<float>(24, 1.0f));

TEST(DeclaredShapes, NothingFollowsFromAnOutputsRank) {
  const Model declared = model(R"(graph g(x: float32[2,3,4], axes: int64[k]) -> (y, rank) {
  y: float32[3,2,1] = ReduceSum(x, axes, keepdims=0)
  shape = Shape(y)
  rank = Shape(shape)
})");
  for (const char* level : kLevels) {
    const Session session(declared, {{"level", level}});
    EXPECT_EQ(session.outputs()[0].dims.size(), 3u) << "for people";
    for (int64_t axes = 0; axes <= 3; ++axes) {
      std::vector<int64_t> first(static_cast<size_t>(axes));
      for (size_t i = 0; i < first.size(); ++i) first[i] = static_cast<int64_t>(i);
      const auto results = session.run({{"x", kX}, {"axes", Tensor::from<int64_t>({axes}, first)}});
      const size_t rank = axes == 0 ? 0 : static_cast<size_t>(3 - axes);  // no axes: all of them
      EXPECT_EQ(Tensor(results.at("y")).shape().size(), rank) << level;
      EXPECT_THAT(numbers(Tensor(results.at("rank"))), ElementsAre(static_cast<int64_t>(rank))) << level;
    }
  }
  EXPECT_EQ(declared.optimized().outputs()[0].dims.size(), 3u);
  const std::string bytes = declared.optimized().to_bytes();
  EXPECT_EQ(Model(std::as_bytes(std::span(bytes))).outputs()[0].dims.size(), 3u);
}

// Not even where nodes are inferred again, since what they read could be computed.
TEST(DeclaredShapes, NothingFollowsFromAnOutputsRankThatComputedAxesReach) {
  const std::string bytes = model(R"(graph g(x: float32[...]) -> (y, z) {
  zero: int64[1] = {0}
  one: int64[1] = {1}
  axis = PRelu(zero, zero)
  sum = ReduceSum(x, axis)
  y: float32[3,2,1] = Sub(x, sum)
  z = ReduceMax(y, one)
})")
                                .to_bytes();
  const Model declared(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(declared.outputs()[0].dims.size(), 3u) << "for people";
  EXPECT_FALSE(declared.outputs()[1].rank_known) << declared.outputs()[1].type;
}

TEST(DeclaredShapes, NothingFollowsFromThoseOfABodysInputs) {
  const Model declared = model(R"(graph g(x: float32[2,3,4], axes: int64[k], trips: int64[]) -> (z, ranks) {
  y = ReduceSum(x, axes, keepdims=0)
  z, ranks = Loop(trips, _, y) body: graph b(i: int64[], go: bool[], state: float32[3]) -> (go_on, next, rank) {
    go_on = Identity(go)
    next = Identity(state)
    shape = Shape(state)
    rank = Shape(shape)
  }
})");
  for (const char* level : kLevels) {
    const Session session(declared, {{"level", level}});
    const auto results = session.run({{"x", kX},
                                      {"axes", Tensor::from<int64_t>({1}, std::vector<int64_t>{1})},
                                      {"trips", Tensor::from<int64_t>({}, std::vector<int64_t>{2})}});
    EXPECT_EQ(Tensor(results.at("z")).shape(), (onnxrun::Shape{2, 4}));
    EXPECT_THAT(numbers(Tensor(results.at("ranks"))), ElementsAre(2, 2)) << level;
  }
}

// Elements of any type for a body that says which it takes.
Model maps_floats() {
  return model(R"(graph g(q: sequence(?)) -> (y) {
  mapped = SequenceMap(q) body: graph b(e: float32[3]) -> (o) {
    r = Relu(e)
    o = Add(r, r)
  }
  y = ConcatFromSequence(mapped, axis=0)
})");
}

TEST(DeclaredTypes, ABodyTakesNoOthers) {
  const size_t count = 100000;
  const Tensor floats = Tensor::from<float>({3}, std::vector<float>{1, -1, 2}),
               bytes = Tensor::from<int8_t>({static_cast<int64_t>(count)}, std::vector<int8_t>(count, 1));
  for (const char* level : kLevels) {
    const Session session(maps_floats(), {{"level", level}});
    const auto run = [&](onnxrun::Value element) {
      return session.run({{"q", onnxrun::Value::sequence({std::move(element)})}});
    };
    EXPECT_THAT(run_failure([&] { run(bytes); }),
                AllOf(HasSubstr("'e' is float32"), HasSubstr("it is int8[100000]"), HasSubstr("SequenceMap")));
    EXPECT_THAT(run_failure([&] { run(onnxrun::Value::sequence({floats})); }),
                AllOf(HasSubstr("'e' is float32"), HasSubstr("sequence of 1")));
    const auto results = run(floats);
    const auto sums = Tensor(results.at("y")).span<float>();
    EXPECT_THAT(std::vector<float>(sums.begin(), sums.end()), ElementsAre(2, 0, 4)) << "the session still runs";
  }
}

TEST(DeclaredTypes, WhatIsTakenOutOfASequenceHasThem) {
  const Model declared = model(R"(graph g(q: sequence(?), i: int64[]) -> (y) {
  element: float32[3] = SequenceAt(q, i)
  y = Relu(element)
})");
  const Session session(declared);
  const Tensor first = Tensor::from<int64_t>({}, std::vector<int64_t>{0});
  const auto run = [&](const Tensor& element) {
    return session.run({{"q", onnxrun::Value::sequence({element})}, {"i", first}});
  };
  EXPECT_THAT(run_failure([&] {
                run(Tensor::from<double>({2}, std::vector<double>{1, 2}));
              }),
              AllOf(HasSubstr("'element' is float32"), HasSubstr("it is float64[2]")));
  EXPECT_EQ(Tensor(run(Tensor::from<float>({5}, std::vector<float>(5, 1.0f))).at("y")).shape(), (onnxrun::Shape{5}));
}

}  // namespace
