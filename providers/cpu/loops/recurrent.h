// What the kernels of RNN, GRU and LSTM share: sizes and the places of steps and states in the tensors.
#pragma once

#include <string_view>

#include "cpu/cpu.h"
#include "cpu/loops/work_operands.h"
#include "ops/attributes/recurrent.h"

namespace onnxrun::cpu {

struct RecurrentShape {
  int64_t gates, directions, seq, batch, input, hidden;
  ops::attributes::Recurrent attributes;

  explicit RecurrentShape(const Node& node);

  bool lstm() const { return gates == 4; }
  bool gru() const { return gates == 3; }
  int64_t activations() const { return lstm() ? 3 : gru() ? 2 : 1; }  // a direction
  const ops::attributes::ActivationSpec& activation(int64_t direction, int64_t i) const {
    return attributes.activations[static_cast<size_t>(direction * activations() + i)];
  }
  // Offsets, in elements, of a step's input, a step's output in Y, and a state.
  int64_t x_at(int64_t t, int64_t b) const { return (attributes.batch_first ? b * seq + t : t * batch + b) * input; }
  int64_t y_at(int64_t t, int64_t d, int64_t b) const {
    return (attributes.batch_first ? (b * seq + t) * directions + d : (t * directions + d) * batch + b) * hidden;
  }
  int64_t state_at(int64_t d, int64_t b) const {
    return (attributes.batch_first ? b * directions + d : d * batch + b) * hidden;
  }
  // Throws kRunFailed for a length outside [0, seq].
  int64_t length(const RunContext& context, int64_t b) const;
};

inline constexpr size_t kRecurrentX = 0, kRecurrentW = 1, kRecurrentR = 2, kRecurrentB = 3, kRecurrentLengths = 4,
                        kRecurrentH = 5, kRecurrentC = 6, kRecurrentP = 7;

// In float32, from and to the narrower float types: the input's part of all steps as one matrix product, then step by step the recurrent part and the gates. Weights are packed
// ahead when they are constants.
class PackedRecurrent {
 public:
  static Acceptance accepts(const Node& node);
  static void pack(const Node& node, void* bytes);

  PackedRecurrent(const Node& node, const void* packed);

  size_t scratch_bytes() const;
  void run(RunContext& context) const;

 private:
  // Places in one direction's packed weights, in floats.
  struct Layout {
    int64_t w, r, r_hidden, bias, recurrent_bias, peepholes, total;
    explicit Layout(const RecurrentShape& shape);
  };
  struct Tensors {
    const float *w, *r, *b, *p;
  };
  static void pack_all(const RecurrentShape& shape, bool linear_before_reset, const Tensors& from, float* to);

  static constexpr int64_t kBatch = 6;  // sequences that go through the steps together

  void project(RunContext& context, const float* x, const float* packed, float* gates) const;
  void steps(RunContext& context, const WorkOperands::Arrays& arrays, const float* packed, const float* gates,
             int64_t d, int64_t first, int64_t count, float* scratch) const;
  void rnn_gates(int64_t d, float* row, float* h) const;
  void gru_products(const float* weights, int64_t d, int64_t count, float* rows, float* h, float* spare) const;
  void gru_gates(int64_t d, float* row, float* h, const float* spare) const;
  void lstm_gates(int64_t d, const float* peepholes, float* row, float* h, float* c) const;
  void activate(int64_t d, int64_t i, float* x) const;

  RecurrentShape shape_;
  Layout layout_;
  bool linear_before_reset_, input_forget_, has_peepholes_;
  const float* packed_;
  WorkOperands operands_;
};

}  // namespace onnxrun::cpu
