// RNN, GRU and LSTM on the double: cuDNN's kernel and the two of ours, to the CPU's results, and which nodes each takes.
#include "on_double.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace {

using on_double::cuda;
using on_double::expect_near;
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
  bool lengths = false, peepholes = false, batch_first = false;
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
  std::string inputs = fmt::format("x: {0}[{5},{1}], w: {0}[{2},{3},{1}], r: {0}[{2},{3},{4}]", n.type, n.input,
                                   n.directions, n.gates() * n.hidden, n.hidden, n.batch_first ? "b,s" : "s,b");
  if (n.biases) inputs += fmt::format(", bias: {}[{},{}]", n.type, n.directions, 2 * n.gates() * n.hidden);
  const std::string state =
      fmt::format("{}[{},{}]", n.type,
                  n.batch_first ? fmt::format("b,{}", n.directions) : fmt::format("{},b", n.directions), n.hidden);
  if (n.lengths) inputs += ", lengths: int32[b]";
  if (n.states) inputs += ", h: " + state + (lstm ? ", c: " + state : "");
  if (n.peepholes) inputs += fmt::format(", p: {}[{},{}]", n.type, n.directions, 3 * n.hidden);
  std::string node = fmt::format("{} = {}(x, w, r, {}, {}, {}", n.last ? lstm ? "y, yh, yc" : "y, yh" : "y", n.op,
                                 n.biases ? "bias" : "_", n.lengths ? "lengths" : "_", n.states ? "h" : "_");
  if (lstm) node += fmt::format(", {}, {}", n.states ? "c" : "_", n.peepholes ? "p" : "_");
  if (!n.whole) node.replace(0, 1, "_");
  node += fmt::format(", hidden_size={}", n.hidden);
  if (n.directions == 2) node += ", direction='bidirectional'";
  if (n.batch_first) node += ", layout=1";
  if (!n.attributes.empty()) node += ", " + n.attributes;
  std::string outputs = n.whole ? "y" : "";
  if (n.last) outputs += std::string(n.whole ? ", " : "") + (lstm ? "yh, yc" : "yh");
  return on_double::model_of(inputs, outputs, node + ")");
}

Tensor made(const Network& n, const Shape& shape, double phase, double size = 0.7) {
  Tensor tensor(n.dtype, shape);
  std::vector<double> values(static_cast<size_t>(tensor.count()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = size * std::sin(phase + 1.7 * static_cast<double>(i));
  tensor.set(values);
  return tensor;
}

NamedValues inputs_of(const Network& n, int64_t seq, int64_t batch, double phase = 0) {
  const Shape state = n.batch_first ? Shape{batch, n.directions, n.hidden} : Shape{n.directions, batch, n.hidden};
  NamedValues inputs{
      {"x", made(n, n.batch_first ? Shape{batch, seq, n.input} : Shape{seq, batch, n.input}, phase + 0.1)},
      {"w", made(n, {n.directions, n.gates() * n.hidden, n.input}, 0.2)},
      {"r", made(n, {n.directions, n.gates() * n.hidden, n.hidden}, 0.3, n.hidden < 8 ? 0.7 : 0.1)}};
  if (n.biases) inputs.emplace_back("bias", made(n, {n.directions, 2 * n.gates() * n.hidden}, 0.4));
  if (n.states) inputs.emplace_back("h", made(n, state, 0.5));
  if (n.states && n.op == "LSTM") inputs.emplace_back("c", made(n, state, 0.6));
  if (n.peepholes) inputs.emplace_back("p", made(n, {n.directions, 3 * n.hidden}, 0.7));
  if (!n.lengths) return inputs;
  std::vector<int32_t> lengths(static_cast<size_t>(batch));
  for (int64_t i = 0; i < batch; ++i) lengths[static_cast<size_t>(i)] = static_cast<int32_t>((i + 1) * 3 % (seq + 1));
  inputs.emplace_back("lengths", Tensor::from<int32_t>({batch}, lengths));
  return inputs;
}

// The CPU's results, from the kernel of that name.
void expect_as_on_cpu(const Network& n, const std::string& kernel, int64_t seq, int64_t batch, double tolerance,
                      const char* precision = "highest") {
  const onnxrun::Model model = model_of(n);
  std::string profile;
  const NamedValues inputs = inputs_of(n, seq, batch);
  Options options = cuda();
  options.set("float32_matmul_precision", precision);
  const auto got = Session(model, options).run(inputs, {.profile = &profile});
  EXPECT_NE(profile.find("\"kernel\":\"" + kernel + "\""), std::string::npos) << n.name() << profile;
  expect_near(got, Session(model).run(inputs), tolerance, fmt::format("{} {} x {}", n.name(), seq, batch));
}

// What cuDNN has.
std::vector<Network> cells() {
  return {
      {"LSTM", ""},    {"GRU", "linear_before_reset=1"},    {"RNN", ""},    {"RNN", "activations=['Relu']"},
      {"LSTM", "", 2}, {"GRU", "linear_before_reset=1", 2}, {"RNN", "", 2}, {"RNN", "activations=['Relu', 'Relu']", 2}};
}

constexpr int64_t kMany = 1057;  // sequences, more than the kernel for all steps takes
// Units, more than it takes.
int64_t large(const Network& n) { return 520 / n.gates(); }

// An input of 13 keeps the double from its rough algorithm.
TEST(CudaRecurrent, AreCudnnsWithManySequences) {
  for (Network n : cells())
    for (const int64_t hidden : {6, 7})
      for (const bool biases : {false, true})
        for (const int64_t seq : {1, 3}) {
          n.input = 13, n.hidden = hidden, n.biases = biases, n.states = biases == (seq == 1);
          expect_as_on_cpu(n, "cudnn", seq, kMany, 2e-6, "high");
        }
}

TEST(CudaRecurrent, AreCudnnsWithManyUnits) {
  for (Network n : cells())
    for (const auto& [seq, batch] : {std::pair<int64_t, int64_t>{3, 2}, {1, 1}}) {
      n.input = 13, n.hidden = large(n);
      expect_as_on_cpu(n, "cudnn", seq, batch, 2e-5, "high");
      expect_as_on_cpu(n, "cublaslt", seq, batch, 2e-5);
    }
}

TEST(CudaRecurrent, AreCudnnsInFloat16) {
  for (Network n : cells()) {
    n.type = "float16", n.dtype = ONNXRUN_DTYPE_FLOAT16;
    expect_as_on_cpu(n, "loop", 3, 2, 4e-3);
    expect_as_on_cpu(n, "cudnn", 3, kMany, 4e-3);
    n.type = "bfloat16", n.dtype = ONNXRUN_DTYPE_BFLOAT16;
    expect_as_on_cpu(n, "loop", 3, 2, 2e-2);
    expect_as_on_cpu(n, "cublaslt", 3, kMany, 2e-2);
    n.type = "float64", n.dtype = ONNXRUN_DTYPE_FLOAT64;
    expect_as_on_cpu(n, "loop", 3, 2, 1e-12);
    expect_as_on_cpu(n, "cublaslt", 3, kMany, 1e-12);
  }
}

// The algorithm for small networks, which is rough in the double.
TEST(CudaRecurrent, AreRoughWhereThatIsAllowed) {
  for (const char* precision : {"highest", "high", "medium"}) {
    const Network n;
    const onnxrun::Model model = model_of(n);
    Options options = cuda();
    options.set("float32_matmul_precision", precision);
    const NamedValues inputs = inputs_of(n, 2, kMany);
    const std::vector<double> got = Session(model, options).run(inputs).at("y").doubles();
    const std::vector<double> want = Session(model).run(inputs).at("y").doubles();
    double largest = 0;
    for (size_t i = 0; i < want.size(); ++i) largest = std::max(largest, std::fabs(got[i] - want[i]));
    EXPECT_LT(largest, 1e-3);
    EXPECT_EQ(largest > 1e-5, precision != std::string("highest")) << precision << largest;
  }
}

TEST(CudaRecurrent, LeaveOutWhatNobodyReads) {
  for (const int64_t directions : {1, 2})
    for (const bool whole : {false, true})
      for (const auto& [kernel, batch] :
           {std::pair<const char*, int64_t>{"loop", 3}, {"cublaslt", kMany}, {"cudnn", kMany}}) {
        Network n;
        n.input = 13, n.directions = directions, n.whole = whole, n.last = !whole;
        expect_as_on_cpu(n, kernel, 4, batch, 2e-6, kernel == std::string("cudnn") ? "high" : "highest");
      }
}

// What cuDNN has not.
std::vector<Network> others() {
  std::vector<Network> result = {{"LSTM", "clip=0.5"},
                                 {"LSTM", "input_forget=1"},
                                 {"LSTM", "activations=['Sigmoid', 'Tanh', 'Relu']"},
                                 {"LSTM", "direction='reverse'"},
                                 {"GRU", ""},
                                 {"GRU", "", 2},
                                 {"GRU", "linear_before_reset=1, activations=['HardSigmoid', 'Tanh']"},
                                 {"RNN", "activations=['Softsign']"},
                                 {"RNN", "activations=['Relu', 'Tanh']", 2}};
  for (Network n : cells()) {
    n.lengths = true;
    result.push_back(n);
    n.lengths = false, n.batch_first = true;
    result.push_back(n);
    n.peepholes = n.op == "LSTM", n.lengths = true;
    result.push_back(n);
  }
  Network n{"GRU", "", 2};
  n.lengths = true, n.batch_first = true;
  result.push_back(n);
  return result;
}

TEST(CudaRecurrent, AreOneKernel) {
  std::vector<Network> networks = others(), more = cells();
  networks.insert(networks.end(), more.begin(), more.end());
  for (Network n : networks)
    for (const auto& [seq, batch] : {std::pair<int64_t, int64_t>{4, 3}, {1, 1}})
      for (const bool biases : {false, true}) {
        n.biases = n.states = biases;
        expect_as_on_cpu(n, "loop", seq, batch, 2e-6);
      }
}

TEST(CudaRecurrent, AreOneKernelOfManySizes) {
  for (const char* type : {"float32", "float64"})
    for (const int64_t hidden : {1, 4, 33, 64, 70, 85, 100, 128})
      for (Network n : {Network{"LSTM", ""}, Network{"GRU", ""}, Network{"RNN", ""}}) {
        n.hidden = hidden, n.lengths = true, n.type = type;
        n.dtype = n.type == "float32" ? ONNXRUN_DTYPE_FLOAT32 : ONNXRUN_DTYPE_FLOAT64;
        expect_as_on_cpu(n, "loop", 3, 2, 2e-5);
      }
}

// Two and four sequences a block, the last block not full.
TEST(CudaRecurrent, AreOneKernelOfManySequences) {
  for (Network n : {Network{"LSTM", "", 2}, Network{"GRU", "", 2}, Network{"RNN", "", 2}})
    for (const int64_t batch : {131, 263, 301}) {
      n.lengths = true;
      expect_as_on_cpu(n, "loop", 2, batch, 2e-6);
    }
  // Of weights that do not all fit near a block.
  for (const int64_t batch : {39, 71}) {
    Network n{"LSTM", "", 2};
    n.hidden = 100, n.lengths = true;
    expect_as_on_cpu(n, "loop", 2, batch, 2e-5);
  }
}

TEST(CudaRecurrent, AreStepsWhereTheyAreLarge) {
  for (Network n : others()) {
    n.hidden = large(n);
    expect_as_on_cpu(n, "cublaslt", 3, 2, 2e-5);
  }
  for (const auto& [seq, batch] : {std::pair<int64_t, int64_t>{0, 3}, {4, 0}})
    expect_as_on_cpu({}, "cublaslt", seq, batch, 0);
  Network n;
  n.lengths = true;
  expect_as_on_cpu(n, "cublaslt", 2, kMany, 2e-6);
}

TEST(CudaRecurrent, ReportBadLengths) {
  Network n;
  n.lengths = true;
  NamedValues inputs = inputs_of(n, 4, 3);
  for (const int32_t bad : {-1, 5}) {
    inputs.back().second = Tensor::from<int32_t>({3}, {4, bad, 1});
    const Session session(model_of(n), cuda());
    EXPECT_THROW(session.run(inputs), onnxrun::Error);
  }
}

// One of cuDNN's, one of ours.
std::vector<Network> two() {
  Network cudnns{"LSTM", "", 2}, ours = cudnns;
  cudnns.input = 13, cudnns.hidden = large(cudnns);
  return {cudnns, ours};
}

TEST(CudaRecurrent, AreRecorded) {
  for (const Network& n : two()) {
    const onnxrun::Model model = model_of(n);
    Options options = cuda({"graphs=1"});
    options.set("float32_matmul_precision", "high");
    const Session session(model, options), on_cpu(model);
    for (int round = 0; round < 4; ++round) {
      const NamedValues inputs = inputs_of(n, 4, 3, round);
      std::string profile;
      const auto got = session.run(inputs, {.profile = &profile});
      EXPECT_EQ(profile.find("\"op\":\"Graph\"") != std::string::npos, round > 0) << profile;
      expect_near(got, on_cpu.run(inputs), 2e-5, n.name());
    }
  }
}

// One network on several streams, and shapes that come and go.
TEST(CudaRecurrent, RunAtTheSameTime) {
  for (const Network& n : two()) {
    const onnxrun::Model model = model_of(n);
    Options options = cuda();
    options.set("streams", "3");
    options.set("float32_matmul_precision", "high");
    const Session session(model, options), on_cpu(model);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int64_t seq = 1; seq < 4; ++seq) {
          const NamedValues inputs = inputs_of(n, seq, 2 + t % 2, t);
          expect_near(session.run(inputs), on_cpu.run(inputs), 2e-5, n.name());
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
