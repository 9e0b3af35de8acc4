// RNN, GRU and LSTM of any size: one product for the inputs of all steps, then a product and a kernel a step.
#pragma once

#include <optional>
#include <utility>

#include "cuda/device/copy.h"
#include "cuda/kernels/recurrent_work.h"

namespace onnxrun::cuda {

class RecurrentSteps : public RecurrentWork {
 public:
  explicit RecurrentSteps(const Node& node) : RecurrentWork(node) {
    const RecurrentNetwork& net = network_;
    const int64_t gates = resets() ? 2 : net.gates, states = net.directions * net.batch * net.hidden;
    add_product(all_h_, node, gates);
    from_h_ = reserve(states * gates);
    for (size_t& state : states_) state = reserve(states);
    if (!resets()) return;
    add_product(new_h_, node, 1);
    reset_ = reserve(states), from_reset_ = reserve(states);
  }

  void run(RunContext& context) const {
    const Buffers buffers = widened(context);
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    RecurrentStep step;
    static_cast<RecurrentNetwork&>(step) = network_;
    begin(context, buffers, step);
    char *h = scratch + states_[0], *next = scratch + states_[1], *c = scratch + states_[2];
    start_states(stream, buffers.in[kH], h);
    if (lstm_) start_states(stream, buffers.in[kC], c), step.c = c;
    step.from_h = scratch + from_h_;
    for (step.step = 0; step.step < step.seq && all_h_; ++step.step) {
      context.check_cancelled();
      step.h = h;
      all_h_->run(stream, h, buffers.in[kR], nullptr, scratch + from_h_, scratch);
      if (resets()) reset_first(stream, queue, step, buffers.in[kR], scratch);
      step.next = next;
      launch_recurrent(queue, work_, step);
      std::swap(h, next);
    }
    if (buffers.out[1] != nullptr) copy_states(queue, h, own_, buffers.out[1], given_);
    if (lstm_ && buffers.out[2] != nullptr) copy_states(queue, c, own_, buffers.out[2], given_);
    narrow(context, buffers);
  }

 private:
  // States with `gates` gates of R, from the first on, of all directions.
  void add_product(std::optional<Product>& product, const Node& node, int64_t gates) const {
    const RecurrentNetwork& net = network_;
    if (net.batch * net.hidden == 0) return;
    ProductShape shape;
    shape.m = net.batch, shape.k = net.hidden, shape.n = gates * net.hidden, shape.b_transposed = true;
    shape.batch = net.directions;
    shape.a_step = net.batch * net.hidden, shape.b_step = net.gates * net.hidden * net.hidden;
    shape.y_step = net.batch * gates * net.hidden;
    product.emplace(work_, node.precision(), shape);
  }

  void copy_states(const Queue& queue, const char* from, const base::Dims& from_steps, char* to,
                   const base::Dims& to_steps) const {
    const base::Dims dims = {network_.directions, network_.batch, network_.hidden};
    launch_copy(queue, *walk<2>(dims, {from_steps, to_steps}), static_cast<int>(unit_), from, to);
  }

  void start_states(Stream& stream, const char* given, char* to) const {
    const int64_t states = network_.directions * network_.batch * network_.hidden;
    if (given == nullptr) return fill_zero(stream, to, static_cast<size_t>(states) * unit_);
    copy_states(queue_of(stream), given, given_, to, own_);
  }

  // A GRU that resets the state before its product: reset * h by the first two gates, and its product with the third.
  void reset_first(Stream& stream, const Queue& queue, RecurrentStep& step, const char* r, char* scratch) const {
    const int64_t n = network_.hidden;
    step.resets = true;
    step.from_reset = nullptr;
    step.next = scratch + reset_;
    launch_recurrent(queue, work_, step);
    new_h_->run(stream, scratch + reset_, r + 2 * n * n * static_cast<int64_t>(unit_), nullptr, scratch + from_reset_,
                scratch);
    step.resets = false;
    step.from_reset = scratch + from_reset_;
  }

  // Steps of [directions, batch, hidden] here, and where the node has it.
  base::Dims own_ = {network_.batch * network_.hidden, network_.hidden, 1};
  base::Dims given_ = {state_direction_, state_batch_, 1};
  std::optional<Product> all_h_, new_h_;
  size_t from_h_ = 0, reset_ = 0, from_reset_ = 0;
  size_t states_[3] = {};  // h, the next h and c
};

}  // namespace onnxrun::cuda
