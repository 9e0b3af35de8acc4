// RNN, GRU and LSTM on the double: cuDNN's kernel and ours, to the CPU's results, and which nodes each takes.
#include "on_double.h"

#include <fmt/format.h>

#include <cmath>
#include <thread>

namespace {

using on_double::cuda;
using on_double::model_of;
using onnxrun::NamedValues;
using onnxrun::Options;
using onnxrun::Session;
using onnxrun::Shape;
using onnxrun::Tensor;

struct Network {
  std::string op = "LSTM", attributes;
  int64_t directions = 1, input = 5, hidden = 6;
  bool biases = true, states = true, whole = true, last = true;  // what the node reads and writes
  std::string type = "float32";
  onnxrun_dtype dtype = ONNXRUN_DTYPE_FLOAT32;

  int64_t gates() const { return op == "LSTM" ? 4 : op == "GRU" ? 3 : 1; }
  std::string name() const {
    return fmt::format("{} {} {} directions {} input {} hidden {} biases {} states {}", type, op, attributes,
                       directions, input, hidden, biases, states);
  }
};

onnxrun::Model model_of(const Network& n) {
  const bool lstm = n.op == "LSTM";
  std::string inputs = fmt::format("x: {0}[s,b,{1}], w: {0}[{2},{3},{1}], r: {0}[{2},{3},{4}]", n.type, n.input,
                                   n.directions, n.gates() * n.hidden, n.hidden);
  if (n.biases) inputs += fmt::format(", bias: {}[{},{}]", n.type, n.directions, 2 * n.gates() * n.hidden);
  const std::string state = fmt::format("{}[{},b,{}]", n.type, n.directions, n.hidden);
  if (n.states) inputs += ", h: " + state + (lstm ? ", c: " + state : "");
  std::string node = fmt::format("{} = {}(x, w, r, {}, _, {}", n.last ? lstm ? "y, yh, yc" : "y, yh" : "y", n.op,
                                 n.biases ? "bias" : "_", n.states ? lstm ? "h, c" : "h" : "_");
  if (!n.whole) node.replace(0, 1, "_");
  node += fmt::format(", hidden_size={}", n.hidden);
  if (n.directions == 2) node += ", direction='bidirectional'";
  if (!n.attributes.empty()) node += ", " + n.attributes;
  std::string outputs = n.whole ? "y" : "";
  if (n.last) outputs += std::string(n.whole ? ", " : "") + (lstm ? "yh, yc" : "yh");
  return on_double::model_of(inputs, outputs, node + ")");
}

Tensor made(const Network& n, const Shape& shape, double phase) {
  Tensor tensor(n.dtype, shape);
  std::vector<double> values(static_cast<size_t>(tensor.count()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.7 * std::sin(phase + 1.7 * static_cast<double>(i));
  tensor.set(values);
  return tensor;
}

NamedValues inputs_of(const Network& n, int64_t seq, int64_t batch, double phase = 0) {
  NamedValues inputs{{"x", made(n, {seq, batch, n.input}, phase + 0.1)},
                     {"w", made(n, {n.directions, n.gates() * n.hidden, n.input}, 0.2)},
                     {"r", made(n, {n.directions, n.gates() * n.hidden, n.hidden}, 0.3)}};
  if (n.biases) inputs.emplace_back("bias", made(n, {n.directions, 2 * n.gates() * n.hidden}, 0.4));
  if (!n.states) return inputs;
  inputs.emplace_back("h", made(n, {n.directions, batch, n.hidden}, 0.5));
  if (n.op == "LSTM") inputs.emplace_back("c", made(n, {n.directions, batch, n.hidden}, 0.6));
  return inputs;
}

void expect_equal(const onnxrun::Results& got, const onnxrun::Results& want, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  for (const auto& [name, value] : want) {
    const std::vector<double> a = got.at(name).doubles(), b = Tensor(value).doubles();
    ASSERT_EQ(got.at(name).shape(), want.at(name).shape()) << what;
    for (size_t i = 0; i < b.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << what << ", " << name << " " << i;
  }
}

// The CPU's results, from the kernel of that name.
void expect_as_on_cpu(const Network& n, const std::string& kernel, int64_t seq, int64_t batch, double tolerance) {
  const onnxrun::Model model = model_of(n);
  std::string profile;
  const NamedValues inputs = inputs_of(n, seq, batch);
  const auto got = Session(model, cuda()).run(inputs, {.profile = &profile});
  EXPECT_NE(profile.find("\"kernel\":\"" + kernel + "\""), std::string::npos) << n.name() << profile;
  expect_equal(got, Session(model).run(inputs), tolerance, fmt::format("{} {} x {}", n.name(), seq, batch));
}

// What cuDNN has.
std::vector<Network> cells() {
  return {
      {"LSTM", ""},    {"GRU", "linear_before_reset=1"},    {"RNN", ""},    {"RNN", "activations=['Relu']"},
      {"LSTM", "", 2}, {"GRU", "linear_before_reset=1", 2}, {"RNN", "", 2}, {"RNN", "activations=['Relu', 'Relu']", 2}};
}

TEST(CudaRecurrent, AreCudnns) {
  for (Network n : cells())
    for (const int64_t hidden : {6, 7})
      for (const bool biases : {false, true})
        for (const bool states : {false, true})
          for (const auto& [seq, batch] : {std::pair<int64_t, int64_t>{4, 3}, {1, 3}, {4, 1}, {1, 1}}) {
            n.hidden = hidden, n.biases = biases, n.states = states;
            expect_as_on_cpu(n, "cudnn", seq, batch, 2e-6);
          }
}

TEST(CudaRecurrent, AreCudnnsInOtherTypes) {
  for (Network n : cells()) {
    n.type = "float64", n.dtype = ONNXRUN_DTYPE_FLOAT64;
    expect_as_on_cpu(n, "cudnn", 5, 3, 1e-12);
    n.type = "float16", n.dtype = ONNXRUN_DTYPE_FLOAT16;
    expect_as_on_cpu(n, "cudnn", 5, 3, 4e-3);
    n.type = "bfloat16", n.dtype = ONNXRUN_DTYPE_BFLOAT16;
    expect_as_on_cpu(n, "cublaslt", 5, 3, 2e-2);
  }
}

// The algorithm for small networks is refused, because of the network's size or by the double, which does not like 13.
TEST(CudaRecurrent, FindAnotherAlgorithm) {
  for (const auto& [input, hidden] : {std::pair<int64_t, int64_t>{13, 6}, {5, 200}}) {
    Network n;
    n.input = input, n.hidden = hidden;
    expect_as_on_cpu(n, "cudnn", 3, 2, 2e-5);
  }
}

TEST(CudaRecurrent, LeaveOutWhatNobodyReads) {
  for (const int64_t directions : {1, 2}) {
    Network n;
    n.directions = directions, n.whole = false;
    expect_as_on_cpu(n, "cudnn", 4, 3, 2e-6);
    n.whole = true, n.last = false;
    expect_as_on_cpu(n, "cudnn", 4, 3, 2e-6);
  }
}

TEST(CudaRecurrent, AreOursWhereCudnnHasNone) {
  for (const auto& [op, attributes] : {std::pair<const char*, const char*>{"LSTM", "clip=0.5"},
                                       {"LSTM", "input_forget=1"},
                                       {"LSTM", "activations=['Sigmoid', 'Tanh', 'Relu']"},
                                       {"LSTM", "direction='reverse'"},
                                       {"GRU", ""},
                                       {"GRU", "linear_before_reset=1, activations=['HardSigmoid', 'Tanh']"},
                                       {"RNN", "activations=['Softsign']"}})
    expect_as_on_cpu({op, attributes}, "cublaslt", 4, 3, 2e-6);
  expect_as_on_cpu({"RNN", "activations=['Relu', 'Tanh']", 2}, "cublaslt", 4, 3, 2e-6);
  for (const auto& [seq, batch] : {std::pair<int64_t, int64_t>{0, 3}, {4, 0}})
    expect_as_on_cpu({}, "cublaslt", seq, batch, 0);
}

TEST(CudaRecurrent, AreRecorded) {
  Network n;
  n.directions = 2;
  const onnxrun::Model model = model_of(n);
  const Session session(model, cuda({"graphs=1"})), on_cpu(model);
  for (int round = 0; round < 4; ++round) {
    const NamedValues inputs = inputs_of(n, 4, 3, round);
    std::string profile;
    const auto got = session.run(inputs, {.profile = &profile});
    EXPECT_EQ(profile.find("\"op\":\"Graph\"") != std::string::npos, round > 0) << profile;
    expect_equal(got, on_cpu.run(inputs), 2e-6, "recorded");
  }
}

// One network on several streams, and shapes that come and go.
TEST(CudaRecurrent, RunAtTheSameTime) {
  Network n;
  n.directions = 2;
  const onnxrun::Model model = model_of(n);
  Options options = cuda();
  options.set("streams", "3");
  const Session session(model, options), on_cpu(model);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int64_t seq = 1; seq < 5; ++seq) {
        const NamedValues inputs = inputs_of(n, seq, 2 + t % 2, t);
        expect_equal(session.run(inputs), on_cpu.run(inputs), 2e-6, "thread");
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
