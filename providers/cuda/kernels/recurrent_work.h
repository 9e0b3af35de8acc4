// What our kernels of RNN, GRU and LSTM know of a node, and its tensors in the type that they compute in.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "cuda/device/recurrent.h"
#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"
#include "cuda/scratch_layout.h"
#include "ops/attributes/recurrent.h"

namespace onnxrun::cuda {

// Inputs of the three operators.
enum RecurrentInput : size_t { kX, kW, kR, kB, kLengths, kH, kC, kP, kRecurrentInputs };

// The functions of one direction that a node without `activations` has.
inline std::vector<std::string> default_activations(const Node& node) {
  if (node.op() == "LSTM") return {"Sigmoid", "Tanh", "Tanh"};
  return node.op() == "GRU" ? std::vector<std::string>{"Sigmoid", "Tanh"} : std::vector<std::string>{"Tanh"};
}

// float16 and bfloat16 are computed in float32.
class RecurrentWork {
 public:
  static Acceptance accepts(const Node& node) {
    if (!Product::serves(dtype(node.input(kX)))) return no_kernel(node);
    if (node.has_input(kLengths) && dtype(node.input(kLengths)) != DType::kInt32)
      return Acceptance::decline("lengths not of int32");
    return {};
  }
  size_t scratch_bytes() const { return layout_.bytes(); }

 protected:
  static DType work_of(const Node& node) {
    return dtype(node.input(kX)) == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  }

  explicit RecurrentWork(const Node& node)
      : type_(dtype(node.input(kX))),
        work_(work_of(node)),
        unit_(work_ == DType::kFloat64 ? 8 : 4),
        lstm_(node.op() == "LSTM") {
    const auto attributes = ops::attributes::read_recurrent(node, default_activations(node));
    const auto x = provider::dims(node.input(kX)), w = provider::dims(node.input(kW)),
               r = provider::dims(node.input(kR));
    RecurrentNetwork& net = network_;
    net.gates = lstm_ ? 4 : node.op() == "GRU" ? 3 : 1;
    net.reversed = attributes.reversed, net.batch_first = attributes.batch_first;
    net.seq = x[net.batch_first ? 1 : 0], net.batch = x[net.batch_first ? 0 : 1];
    net.directions = attributes.directions, net.hidden = r[2];
    input_ = w[2];
    net.rules.cell = lstm_ ? RecurrentCell::kLstm : net.gates == 3 ? RecurrentCell::kGru : RecurrentCell::kRnn;
    net.rules.linear_before_reset = node.get_int("linear_before_reset", 0) != 0;
    net.rules.input_forget = node.get_int("input_forget", 0) != 0;
    net.rules.clips = attributes.clip.has_value();
    net.rules.clip = attributes.clip.value_or(0);
    const size_t functions = attributes.activations.size() / static_cast<size_t>(net.directions);
    for (size_t f = 0; f < attributes.activations.size(); ++f) {
      const auto& spec = attributes.activations[f];
      net.functions[f / functions][f % functions] = {static_cast<int>(spec.kind), spec.alpha, spec.beta};
    }
    const int64_t n = net.hidden;
    if (net.batch_first) {
      net.y_batch = net.seq * net.directions * n, net.y_time = net.directions * n, net.y_direction = n;
      state_batch_ = net.directions * n, state_direction_ = n;
    } else {
      net.y_batch = n, net.y_time = net.directions * net.batch * n, net.y_direction = net.batch * n;
      state_batch_ = n, state_direction_ = net.batch * n;
    }
    const int64_t rows = net.gates * n;
    if (std::min({net.seq, net.batch, input_, rows}) != 0) {
      ProductShape shape;
      shape.m = net.seq * net.batch, shape.k = input_, shape.n = net.directions * rows, shape.b_transposed = true;
      all_x_.emplace(work_, node.precision(), shape);
    }
    from_x_ = reserve(net.seq * net.batch * net.directions * rows);
    plan_buffers(node);
  }

  struct Buffers {
    const char* in[kRecurrentInputs] = {};
    char* out[3] = {};
  };

  bool resets() const { return network_.rules.cell == RecurrentCell::kGru && !network_.rules.linear_before_reset; }

  // Elements of the work's type; returns where they lie in the scratch memory.
  size_t reserve(int64_t elements) { return layout_.reserve(elements, static_cast<int64_t>(unit_)); }

  // Inputs and outputs in the type of the work.
  Buffers widened(RunContext& context) const {
    Buffers buffers;
    auto* scratch = static_cast<char*>(context.scratch());
    for (size_t i = 0; i < kRecurrentInputs; ++i) {
      if (i == kLengths || !context.has_input(i)) continue;
      buffers.in[i] = context.in<char>(i);
      if (type_ == work_) continue;
      find_cast(type_, work_)(queue_of(context), context.input(i).data, scratch + in_[i], in_counts_[i]);
      buffers.in[i] = scratch + in_[i];
    }
    for (size_t i = 0; i < 3; ++i)
      if (context.has_output(i)) buffers.out[i] = type_ == work_ ? context.out<char>(i) : scratch + out_[i];
    return buffers;
  }

  // The outputs from there to the node's type.
  void narrow(RunContext& context, const Buffers& buffers) const {
    if (type_ == work_) return;
    for (size_t i = 0; i < 3; ++i)
      if (context.has_output(i))
        find_cast(work_, type_)(queue_of(context), buffers.out[i], context.output(i).data, out_counts_[i]);
  }

  // What both kinds of kernels need in each run: the product of all inputs with W, and where the node's tensors lie.
  void begin(RunContext& context, const Buffers& buffers, RecurrentNetwork& net) const {
    Stream& stream = stream_of(context);
    auto* scratch = static_cast<char*>(context.scratch());
    const int64_t sums = net.seq * net.batch * net.directions * net.gates * net.hidden;
    if (all_x_) all_x_->run(stream, buffers.in[kX], buffers.in[kW], nullptr, scratch + from_x_, scratch);
    else fill_zero(stream, scratch + from_x_, static_cast<size_t>(sums) * unit_);
    net.from_x = scratch + from_x_;
    net.bias = buffers.in[kB];
    net.peephole = buffers.in[kP];
    net.y = buffers.out[0];
    if (!context.has_input(kLengths)) return;
    net.lengths = context.in<int32_t>(kLengths);
    net.report = stream.expect("a recurrent operator: an element of 'sequence_lens' is not a number of steps");
  }

  DType type_, work_;
  size_t unit_;
  bool lstm_;
  RecurrentNetwork network_;  // without what is known in a run only
  int64_t input_ = 0, state_batch_ = 0, state_direction_ = 0;

 private:
  void plan_buffers(const Node& node) {
    for (size_t i = 0; i < 3; ++i)
      if (node.has_output(i)) out_counts_[i] = provider::count(node.output(i));
    if (type_ == work_) return;
    for (size_t i = 0; i < kRecurrentInputs; ++i)
      if (i != kLengths && node.has_input(i)) {
        in_counts_[i] = provider::count(node.input(i));
        in_[i] = reserve(in_counts_[i]);
      }
    for (size_t i = 0; i < 3; ++i)
      if (node.has_output(i)) out_[i] = reserve(out_counts_[i]);
  }

  std::optional<Product> all_x_;
  ScratchLayout layout_{Product::kWorkspace};
  size_t from_x_ = 0;
  int64_t in_counts_[kRecurrentInputs] = {}, out_counts_[3] = {};
  size_t in_[kRecurrentInputs] = {}, out_[3] = {};
};

}  // namespace onnxrun::cuda
