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
    const int64_t width = gates_ * hidden_, states = batch_ * hidden_;
    add_product(all_x_, node, seq_ * batch_, input_, width);
    add_product(all_h_, node, batch_, hidden_, width);
    from_x_ = reserve(seq_ * batch_ * width);
    from_h_ = reserve(batch_ * width);
    for (size_t& state : states_) state = reserve(states);
    if (!resets()) return;
    add_product(gates_h_, node, batch_, hidden_, 2 * hidden_);
    add_product(new_h_, node, batch_, hidden_, hidden_);
    reset_ = reserve(states), from_reset_ = reserve(states), two_gates_ = reserve(2 * states);
  }

  void run(RunContext& context) const {
    const Buffers buffers = widened(context);
    RecurrentStep step;
    step.rules = rules_;
    step.seq = seq_, step.batch = batch_, step.hidden = hidden_, step.gates = gates_;
    step.batch_first = attributes_.batch_first;
    step.y_time = y_time_, step.y_batch = y_batch_;
    read_lengths(context, step);
    for (int64_t d = 0; d < attributes_.directions; ++d) run_direction(context, buffers, step, d);
    narrow(context, buffers);
  }

 private:
  void add_product(std::optional<Product>& product, const Node& node, int64_t m, int64_t k, int64_t n) const {
    if (m * k * n == 0) return;
    ProductShape shape;
    shape.m = m, shape.k = k, shape.n = n, shape.b_transposed = true;
    product.emplace(work_, node.precision(), shape);
  }

  // A direction's states, which lie `from_step` apart, to rows `to_step` apart.
  void copy_states(const Queue& queue, const char* from, int64_t from_step, char* to, int64_t to_step) const {
    const base::Dims dims = {batch_, hidden_};
    launch_copy(queue, *walk<2>(dims, {base::Dims{from_step, 1}, base::Dims{to_step, 1}}), static_cast<int>(unit_),
                from, to);
  }

  void run_direction(RunContext& context, const Buffers& buffers, RecurrentStep step, int64_t d) const {
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    const auto unit = static_cast<int64_t>(unit_);
    const int64_t n = hidden_, width = gates_ * n;
    const char* w = buffers.in[kW] + d * width * input_ * unit;
    const char* r = buffers.in[kR] + d * width * n * unit;
    step.backwards = attributes_.backwards(d);
    for (size_t f = 0; f < 3; ++f) step.functions[f] = function(d, f);
    if (buffers.in[kB] != nullptr) step.bias = buffers.in[kB] + d * 2 * width * unit;
    if (buffers.in[kP] != nullptr) step.peephole = buffers.in[kP] + d * 3 * n * unit;
    if (buffers.out[0] != nullptr) step.y = buffers.out[0] + d * y_direction_ * unit;
    step.from_x = scratch + from_x_;
    step.from_h = scratch + from_h_;
    char *h = scratch + states_[0], *next = scratch + states_[1], *c = scratch + states_[2];
    start_states(stream, buffers.in[kH], d, h);
    if (lstm_) start_states(stream, buffers.in[kC], d, c), step.c = c;
    if (all_x_) all_x_->run(stream, buffers.in[kX], w, nullptr, scratch + from_x_, scratch);
    else fill_zero(stream, scratch + from_x_, static_cast<size_t>(seq_ * batch_ * width) * unit_);
    for (step.step = 0; step.step < seq_ && all_h_; ++step.step) {
      context.check_cancelled();
      step.h = h;
      step.next = next;
      if (resets()) reset_first(stream, queue, step, r, scratch);
      else all_h_->run(stream, h, r, nullptr, scratch + from_h_, scratch);
      launch_recurrent(queue, work_, step);
      std::swap(h, next);
    }
    const auto last = [&](size_t output, const char* from) {
      if (buffers.out[output] != nullptr)
        copy_states(queue, from, n, buffers.out[output] + d * state_direction_ * unit, state_batch_);
    };
    last(1, h);
    if (lstm_) last(2, c);
  }

  void start_states(Stream& stream, const char* given, int64_t d, char* to) const {
    if (given == nullptr) return fill_zero(stream, to, static_cast<size_t>(batch_ * hidden_) * unit_);
    copy_states(queue_of(stream), given + d * state_direction_ * static_cast<int64_t>(unit_), state_batch_, to,
                hidden_);
  }

  // A GRU that resets the state before its product: the first two gates, then the third of reset * h.
  void reset_first(Stream& stream, const Queue& queue, RecurrentStep step, const char* r, char* scratch) const {
    const int64_t n = hidden_;
    const auto unit = static_cast<int64_t>(unit_);
    // The products are narrower than the rows of from_h: each goes to its columns.
    const auto columns = [&](const char* from, int64_t count, int64_t first) {
      const base::Dims dims = {batch_, count};
      launch_copy(queue, *walk<2>(dims, {base::Dims{count, 1}, base::Dims{3 * n, 1}}), static_cast<int>(unit_), from,
                  scratch + from_h_ + first * unit);
    };
    gates_h_->run(stream, step.h, r, nullptr, scratch + two_gates_, scratch);
    columns(scratch + two_gates_, 2 * n, 0);
    step.resets = true;
    step.next = scratch + reset_;
    launch_recurrent(queue, work_, step);
    new_h_->run(stream, scratch + reset_, r + 2 * n * n * unit, nullptr, scratch + from_reset_, scratch);
    columns(scratch + from_reset_, n, 2 * n);
  }

  std::optional<Product> all_x_, all_h_, gates_h_, new_h_;
  size_t from_x_ = 0, from_h_ = 0;
  size_t states_[3] = {};                              // h, the next h and c
  size_t reset_ = 0, from_reset_ = 0, two_gates_ = 0;  // of a GRU that resets first
};

}  // namespace onnxrun::cuda
