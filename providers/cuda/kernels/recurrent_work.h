// What our kernels of RNN, GRU and LSTM know of a node, and its tensors in the type that they compute in.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "cuda/device/recurrent.h"
#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"
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
  size_t scratch_bytes() const { return scratch_; }

 protected:
  explicit RecurrentWork(const Node& node)
      : type_(dtype(node.input(kX))),
        work_(type_ == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32),
        unit_(work_ == DType::kFloat64 ? 8 : 4),
        lstm_(node.op() == "LSTM"),
        attributes_(ops::attributes::read_recurrent(node, default_activations(node))) {
    const auto x = provider::dims(node.input(kX)), w = provider::dims(node.input(kW)),
               r = provider::dims(node.input(kR));
    gates_ = lstm_ ? 4 : node.op() == "GRU" ? 3 : 1;
    seq_ = x[attributes_.batch_first ? 1 : 0];
    batch_ = x[attributes_.batch_first ? 0 : 1];
    input_ = w[2];
    hidden_ = r[2];
    rules_.cell = lstm_ ? RecurrentCell::kLstm : gates_ == 3 ? RecurrentCell::kGru : RecurrentCell::kRnn;
    rules_.linear_before_reset = node.get_int("linear_before_reset", 0) != 0;
    rules_.input_forget = node.get_int("input_forget", 0) != 0;
    rules_.clips = attributes_.clip.has_value();
    rules_.clip = attributes_.clip.value_or(0);
    const int64_t n = hidden_, directions = attributes_.directions;
    if (attributes_.batch_first) {
      y_batch_ = seq_ * directions * n, y_time_ = directions * n, y_direction_ = n;
      state_batch_ = directions * n, state_direction_ = n;
    } else {
      y_batch_ = n, y_time_ = directions * batch_ * n, y_direction_ = batch_ * n;
      state_batch_ = n, state_direction_ = batch_ * n;
    }
    plan_buffers(node);
  }

  struct Buffers {
    const char* in[kRecurrentInputs] = {};
    char* out[3] = {};
  };

  bool resets() const { return rules_.cell == RecurrentCell::kGru && !rules_.linear_before_reset; }

  GateFunction function(int64_t direction, size_t f) const {
    const size_t functions = attributes_.activations.size() / static_cast<size_t>(attributes_.directions);
    if (f >= functions) return {};
    const auto& spec = attributes_.activations[static_cast<size_t>(direction) * functions + f];
    return {static_cast<int>(spec.kind), spec.alpha, spec.beta};
  }

  // Elements of the work's type; returns where they lie in the scratch memory.
  size_t reserve(int64_t elements) {
    const size_t at = scratch_;
    scratch_ += (static_cast<size_t>(elements) * unit_ + 255) / 256 * 256;
    return at;
  }

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

  // The lengths of the sequences, or null, and where a bad one is told.
  template <class Step>
  static void read_lengths(RunContext& context, Step& step) {
    if (!context.has_input(kLengths)) return;
    step.lengths = context.in<int32_t>(kLengths);
    step.report =
        stream_of(context).expect("a recurrent operator: an element of 'sequence_lens' is not a number of steps");
  }

  DType type_, work_;
  size_t unit_;
  bool lstm_;
  ops::attributes::Recurrent attributes_;
  CellRules rules_;
  int64_t gates_ = 1, seq_ = 0, batch_ = 0, input_ = 0, hidden_ = 0;
  int64_t y_time_ = 0, y_batch_ = 0, y_direction_ = 0, state_batch_ = 0, state_direction_ = 0;

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

  size_t scratch_ = Product::kWorkspace;
  int64_t in_counts_[kRecurrentInputs] = {}, out_counts_[3] = {};
  size_t in_[kRecurrentInputs] = {}, out_[3] = {};
};

}  // namespace onnxrun::cuda
