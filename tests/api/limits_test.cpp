// The limits of options: each stops a model that passes it, names itself, and gives way when raised.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

#include <functional>

#include "model_bytes.h"

namespace {

using onnxrun::Code;
using onnxrun::Options;
using onnxrun::Tensor;

onnxrun::Model read(const std::string& text, const Options& options = {}) {
  return onnxrun::Model(std::as_bytes(std::span(text)), options);
}

std::string text_model(const std::string& head, const std::string& body) {
  return "onnxrun text 1\nir_version 9\nopset ai.onnx 17\ngraph g(" + head + " {\n" + body + "}\n";
}

// What an attempt ends in: its code and message; nothing when it succeeds.
struct Outcome {
  Code code = static_cast<Code>(0);
  std::string message;
};
Outcome outcome_of(const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const onnxrun::Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

void expect_limit(const std::string& option, const Outcome& outcome) {
  EXPECT_EQ(outcome.code, Code::kLimitExceeded) << outcome.message;
  EXPECT_NE(outcome.message.find("option " + option), std::string::npos) << outcome.message;
}

// A Relu after another over x, and whatever else the graph holds.
std::string chain(int nodes, const std::string& more = "") {
  std::string graph;
  for (int i = 0; i < nodes; ++i)
    graph += model_bytes::bytes(1, model_bytes::node("Relu", {i == 0 ? "x" : "t" + std::to_string(i)},
                                                     {i + 1 == nodes ? "y" : "t" + std::to_string(i + 1)}, ""));
  return model_bytes::model(graph + model_bytes::bytes(2, "chain") +
                            model_bytes::bytes(11, model_bytes::value_info("x", 1, {"n"})) +
                            model_bytes::bytes(12, model_bytes::value_info("y", 1, {"n"})) + more);
}

// An initializer of uint8 zeros.
std::string initializer(const std::string& name, size_t bytes) {
  using namespace model_bytes;
  return model_bytes::bytes(5, number(1, bytes) + number(2, 2) + model_bytes::bytes(8, name) +
                                   model_bytes::bytes(9, std::string(bytes, '\0')));
}

TEST(Limits, OfAFile) {
  const std::string two = chain(2, initializer("a", 100) + initializer("b", 100));
  EXPECT_EQ(outcome_of([&] { read(two); }).message, "");
  const std::pair<const char*, const char*> exceeded[] = {
      {"max_nodes", "1"}, {"max_initializers", "1"}, {"max_tensor", "99"},
      {"max_file", "50"}, {"max_string", "3"},       {"max_rank", "0"},
  };
  for (const auto& [option, value] : exceeded)
    expect_limit(option, outcome_of([&, key = option, text = value] { read(two, {{key, text}}); }));
  EXPECT_EQ(outcome_of([&] {
              read(two, {{"max_nodes", "2"},
                         {"max_initializers", "2"},
                         {"max_tensor", "100"},
                         {"max_file", "2K"},
                         {"max_string", "5"},
                         {"max_rank", "1"}});
            }).message,
            "");
}

TEST(Limits, OfNesting) {
  const std::string nested = text_model("c: bool[], x: float32[1]) -> (y)", R"(y = If(c)
  then_branch:
    graph outer() -> (a) {
      w captures 'c'
      v captures 'x'
      a = If(w)
        then_branch:
          graph inner() -> (b) {
            u captures 'v'
            b = Relu(u)
          }
        else_branch:
          graph other() -> (d) {
            t captures 'v'
            d = Neg(t)
          }
    }
  else_branch:
    graph last() -> (e) {
      s captures 'x'
      e = Neg(s)
    }
)");
  EXPECT_EQ(outcome_of([&] { read(nested); }).message, "");
  expect_limit("max_nesting", outcome_of([&] { read(nested, {{"max_nesting", "2"}}); }));
  EXPECT_EQ(outcome_of([&] { read(nested, {{"max_nesting", "3"}}); }).message, "");
}

TEST(Limits, OfComputedTensors) {
  const std::string fill = text_model("n: int64[1]) -> (y)", "y = ConstantOfShape(n)\n");
  const auto run = [&](const Options& options) {
    const onnxrun::Session session(read(fill), options);
    return outcome_of([&] { session.run({{"n", Tensor::from<int64_t>({1}, {1000})}}); });
  };
  expect_limit("max_tensor", run({{"max_tensor", "3999"}}));
  EXPECT_EQ(run({{"max_tensor", "4000"}}).message, "");
  EXPECT_NE(run({{"max_tensor", "1K"}}).message.find("ConstantOfShape"), std::string::npos);
}

constexpr const char* kCount = R"(y = Loop(trips, _, x)
  body:
    graph inner(i: int64[], go: bool[], state: float32[1]) -> (kept, next) {
      kept = Identity(go)
      next = Add(state, state)
    }
)";

TEST(Limits, OfIterations) {
  const std::string loop = text_model("trips: int64[], x: float32[1]) -> (y)", kCount);
  const auto run = [&](const Options& options, int64_t trips) {
    const onnxrun::Session session(read(loop), options);
    return outcome_of([&] {
      session.run({{"trips", Tensor::from<int64_t>({}, {trips})}, {"x", Tensor::from<float>({1}, {1})}});
    });
  };
  expect_limit("max_loop_iterations", run({{"max_loop_iterations", "5"}}, 6));
  EXPECT_EQ(run({{"max_loop_iterations", "5"}}, 5).message, "");
  // However slow the machine.
  expect_limit("max_loop_iterations", run({{"strict", "1"}, {"timeout", "3600"}}, 1050000));
  EXPECT_EQ(run({{"timeout", "0.05"}}, INT64_MAX).code, Code::kDeadline);
}

// Products of constants that would take far longer than the time given, on any machine.
TEST(Limits, OfLoading) {
  std::string body = "shape: int64[2] = {1500, 1500}\n a0 = ConstantOfShape(shape)\n";
  for (int i = 0; i < 200; ++i)
    body += "a" + std::to_string(i + 1) + " = MatMul(a" + std::to_string(i) + ", a" + std::to_string(i) + ")\n";
  const std::string heavy = text_model("x: float32[1]) -> (y)", body + " y = Add(x, a200)\n");
  EXPECT_EQ(outcome_of([&] { onnxrun::Session(read(heavy), {{"timeout", "0.02"}}); }).code, Code::kDeadline);
}

TEST(Limits, StrictIsTighterAndYields) {
  std::string nodes = chain(2, model_bytes::bytes(10, std::string(17 << 20, 'd')));
  EXPECT_EQ(outcome_of([&] { read(nodes); }).message, "");
  expect_limit("max_string", outcome_of([&] { read(nodes, {{"strict", "1"}}); }));
  EXPECT_EQ(outcome_of([&] { read(nodes, {{"strict", "1"}, {"max_string", "20M"}}); }).message, "");
  EXPECT_EQ(outcome_of([&] { read(nodes, {{"max_string", "20M"}, {"strict", "1"}}); }).message, "");
}

TEST(Limits, BadValues) {
  for (const auto& [key, value] : {std::pair{"max_nodes", "-1"},
                                   {"max_tensor", "many"},
                                   {"timeout", "-1"},
                                   {"timeout", "nan"},
                                   {"timeout", "1s"},
                                   {"max_rank", ""}})
    EXPECT_EQ(outcome_of([&, k = key, v = value] { read(chain(1), {{k, v}}); }).code, Code::kInvalidArgument) << key;
}

}  // namespace
