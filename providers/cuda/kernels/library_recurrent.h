// RNN, GRU and LSTM as cuDNN has them: whole sequences, the default functions, a GRU that resets after its product.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "cuda/device/copy.h"
#include "cuda/host/recurrence.h"
#include "cuda/kernels/recurrent_work.h"

namespace onnxrun::cuda {

class LibraryRecurrent {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(kX));
    if (type == DType::kFloat32 && node.precision() == ONNXRUN_PRECISION_HIGHEST)
      return Acceptance::decline("cells less exact than float32");
    if (!Recurrence::serves(type, node.precision())) return no_kernel(node);
    if (node.has_input(kLengths)) return Acceptance::decline("sequences of their own lengths");
    if (node.has_input(kP)) return Acceptance::decline("peepholes");
    if (node.get_int("input_forget", 0) != 0) return Acceptance::decline("coupled gates");
    if (node.op() == "GRU" && node.get_int("linear_before_reset", 0) == 0)
      return Acceptance::decline("a reset before the product");
    const auto attributes = ops::attributes::read_recurrent(node, default_activations(node));
    if (attributes.reversed) return Acceptance::decline("a lone backward direction");
    if (attributes.batch_first) return Acceptance::decline("layout 1");
    if (attributes.clip) return Acceptance::decline("clip");
    if (!has_functions(node, attributes)) return Acceptance::decline("functions of cells that cuDNN has not");
    return {};
  }

  explicit LibraryRecurrent(const Node& node)
      : type_(dtype(node.input(kX))),
        unit_(static_cast<int64_t>(base::dtype_bytes(type_, 1))),
        shape_(shape_of(node)),
        network_(type_, node.precision(), shape_) {
    // cuDNN has the directions of a step side by side, ONNX one after the other; and it always writes Y.
    turns_ = node.has_output(0) && shape_.directions == 2;
    layout_.reserve(network_.weight_bytes());
    workspace_ = layout_.reserve(network_.workspace_bytes());
    if (turns_ || !node.has_output(0))
      y_ = layout_.reserve(shape_.seq * shape_.batch * shape_.directions * shape_.hidden, unit_);
    place_weights();
  }

  size_t scratch_bytes() const { return layout_.bytes(); }

  // Each run puts the weights in cuDNN's order, by one launch that reads and writes each once: little beside a network of more than a few
  // steps, each of which reads R as well.
  void run(RunContext& context) const {
    context.check_cancelled();
    const Queue queue = queue_of(context);
    auto* scratch = static_cast<char*>(context.scratch());
    Pieces weights = weights_;
    weights.sources[0] = context.input(kW).data;
    weights.sources[1] = context.input(kR).data;
    if (context.has_input(kB)) weights.sources[2] = context.input(kB).data;
    weights.target = scratch;
    launch_pieces(queue, weights);

    Recurrence::Memory memory;
    memory.x = context.input(kX).data;
    memory.y = turns_ || !context.has_output(0) ? scratch + y_ : context.output(0).data;
    if (context.has_input(kH)) memory.h = context.input(kH).data;
    if (context.has_output(1)) memory.last_h = context.output(1).data;
    if (shape_.cell == RecurrenceCell::kLstm) {
      if (context.has_input(kC)) memory.c = context.input(kC).data;
      if (context.has_output(2)) memory.last_c = context.output(2).data;
    }
    memory.weights = scratch;
    memory.workspace = scratch + workspace_;
    network_.run(stream_of(context), memory);
    if (turns_) turn(queue, scratch + y_, context.output(0).data);
  }

 private:
  static bool has_functions(const Node& node, const ops::attributes::Recurrent& attributes) {
    using ops::attributes::Activation;
    std::vector<Activation> wanted{Activation::kSigmoid, Activation::kTanh, Activation::kTanh};
    if (node.op() == "GRU") wanted.pop_back();
    if (node.op() == "RNN") {
      wanted = {attributes.activations.front().kind};
      if (wanted[0] != Activation::kTanh && wanted[0] != Activation::kRelu) return false;
    }
    for (size_t i = 0; i < attributes.activations.size(); ++i)
      if (attributes.activations[i].kind != wanted[i % wanted.size()]) return false;
    return true;
  }

  static RecurrenceShape shape_of(const Node& node) {
    const auto attributes = ops::attributes::read_recurrent(node, default_activations(node));
    const auto x = provider::dims(node.input(kX)), r = provider::dims(node.input(kR));
    RecurrenceShape shape;
    if (node.op() == "LSTM") shape.cell = RecurrenceCell::kLstm;
    else if (node.op() == "GRU") shape.cell = RecurrenceCell::kGru;
    else if (attributes.activations.front().kind == ops::attributes::Activation::kRelu)
      shape.cell = RecurrenceCell::kRelu;
    shape.directions = attributes.directions;
    shape.seq = x[0], shape.batch = x[1], shape.input = x[2], shape.hidden = r[2];
    if (std::min({shape.seq, shape.batch, shape.input, shape.hidden}) == 0)
      throw provider::Declined{"a dimension of 0"};
    return shape;
  }

  // ONNX's number of cuDNN's gate: input, output, forget, cell for input, forget, cell, output; update, reset, new for reset, update, new.
  int64_t gate_of(int64_t gate) const {
    static constexpr int64_t kLstm[] = {0, 2, 3, 1}, kGru[] = {1, 0, 2};
    return shape_.cell == RecurrenceCell::kLstm ? kLstm[gate] : shape_.cell == RecurrenceCell::kGru ? kGru[gate] : gate;
  }

  void place_weights() {
    const int64_t n = shape_.hidden, gates = shape_.gates();
    const auto place = [&](int source, int64_t from, size_t to, int64_t count) {
      weights_.pieces[weights_.count++] = {source, from * unit_, static_cast<int64_t>(to), count * unit_};
    };
    for (int64_t d = 0; d < shape_.directions; ++d)
      for (int64_t gate = 0; gate < gates; ++gate) {
        const int64_t row = d * gates + gate_of(gate), bias = (2 * d * gates + gate_of(gate)) * n;
        place(0, row * n * shape_.input, network_.matrix_at(d, gate), n * shape_.input);
        place(1, row * n * n, network_.matrix_at(d, gates + gate), n * n);
        place(2, bias, network_.bias_at(d, gate), n);
        place(2, bias + gates * n, network_.bias_at(d, gates + gate), n);
      }
    // As many bytes at once as all places allow.
    int64_t bytes = 8;
    for (int i = 0; i < weights_.count; ++i)
      for (const int64_t at : {weights_.pieces[i].from, weights_.pieces[i].to, weights_.pieces[i].count})
        bytes = std::gcd(bytes, at);
    weights_.bytes = static_cast<int>(bytes);
    for (int i = 0; i < weights_.count; ++i) {
      Pieces::Piece& piece = weights_.pieces[i];
      piece.from /= bytes, piece.to /= bytes, piece.count /= bytes;
    }
  }

  // [seq, batch, directions, hidden] to [seq, directions, batch, hidden].
  void turn(const Queue& queue, const void* from, void* to) const {
    const int64_t bytes = std::gcd(int64_t{8}, shape_.hidden * unit_), n = shape_.hidden * unit_ / bytes;
    const base::Dims dims = {shape_.seq, shape_.directions, shape_.batch, n};
    const int64_t step = shape_.directions * shape_.batch * n;
    launch_copy(
        queue,
        *walk<2>(dims, {base::Dims{step, n, shape_.directions * n, 1}, base::Dims{step, shape_.batch * n, n, 1}}),
        static_cast<int>(bytes), from, to);
  }

  DType type_;
  int64_t unit_;
  RecurrenceShape shape_;
  Recurrence network_;
  Pieces weights_;
  bool turns_ = false;
  ScratchLayout layout_;
  size_t workspace_ = 0, y_ = 0;
};

}  // namespace onnxrun::cuda
