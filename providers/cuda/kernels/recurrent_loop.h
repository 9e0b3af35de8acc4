// RNN, GRU and LSTM whose recurrent weights are small: one product for the inputs of all steps, then all steps in one kernel.
#pragma once

#include "cuda/device/copy.h"
#include "cuda/kernels/recurrent_work.h"

namespace onnxrun::cuda {

class RecurrentAtOnce : public RecurrentWork {
 public:
  explicit RecurrentAtOnce(const Node& node)
      : RecurrentWork(node), loop_(planned()), all_x_(work_, node.precision(), shape_of_product()) {
    from_x_ = reserve(seq_ * batch_ * loop_.directions * gates_ * hidden_);
    r_ = reserve(loop_.directions * loop_.padded * gates_ * hidden_);
  }

  void run(RunContext& context) const {
    context.check_cancelled();
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    const Buffers buffers = widened(context);
    all_x_.run(stream, buffers.in[kX], buffers.in[kW], nullptr, scratch + from_x_, scratch);
    turn_weights(stream, buffers.in[kR], scratch + r_);
    RecurrentLoop loop = loop_;
    read_lengths(context, loop);
    loop.from_x = scratch + from_x_;
    loop.r = scratch + r_;
    loop.bias = buffers.in[kB];
    loop.peephole = buffers.in[kP];
    loop.h = buffers.in[kH];
    loop.y = buffers.out[0];
    loop.last_h = buffers.out[1];
    if (lstm_) loop.c = buffers.in[kC], loop.last_c = buffers.out[2];
    launch_recurrent_loop(queue, work_, loop);
    narrow(context, buffers);
  }

 private:
  RecurrentLoop planned() const {
    if (std::min({seq_, batch_, input_, hidden_}) == 0) throw provider::Declined{"a dimension of 0"};
    RecurrentLoop loop;
    loop.rules = rules_;
    loop.seq = seq_, loop.batch = batch_, loop.directions = attributes_.directions;
    loop.gates = static_cast<int>(gates_);
    if (hidden_ > RecurrentLoop::kThreads) throw provider::Declined{"large recurrent weights"};
    loop.hidden = static_cast<int>(hidden_);
    if (!loop.plan(work_)) throw provider::Declined{"large recurrent weights, or many sequences"};
    for (int64_t d = 0; d < loop.directions; ++d)
      for (size_t f = 0; f < 3; ++f) loop.functions[d][f] = function(d, f);
    loop.reversed = attributes_.reversed, loop.batch_first = attributes_.batch_first;
    loop.y_time = y_time_, loop.y_batch = y_batch_, loop.y_direction = y_direction_;
    loop.state_batch = state_batch_, loop.state_direction = state_direction_;
    return loop;
  }

  // Of all directions.
  ProductShape shape_of_product() const {
    ProductShape shape;
    shape.m = seq_ * batch_, shape.k = input_, shape.n = loop_.directions * gates_ * hidden_, shape.b_transposed = true;
    return shape;
  }

  // [directions, rows, hidden] to [directions, padded, rows].
  void turn_weights(Stream& stream, const char* from, char* to) const {
    const int64_t rows = gates_ * hidden_, padded = loop_.padded;
    if (padded != hidden_) fill_zero(stream, to, static_cast<size_t>(loop_.directions * padded * rows) * unit_);
    const base::Dims dims = {loop_.directions, hidden_, rows};
    launch_copy(queue_of(stream),
                *walk<2>(dims, {base::Dims{rows * hidden_, 1, hidden_}, base::Dims{padded * rows, rows, 1}}),
                static_cast<int>(unit_), from, to);
  }

  RecurrentLoop loop_;
  Product all_x_;
  size_t from_x_ = 0, r_ = 0;
};

}  // namespace onnxrun::cuda
