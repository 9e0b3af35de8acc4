// RNN, GRU and LSTM whose recurrent weights are small: one product for the inputs of all steps, then all steps in one kernel.
#pragma once

#include <algorithm>

#include "cuda/device/copy.h"
#include "cuda/kernels/recurrent_work.h"

namespace onnxrun::cuda {

class RecurrentAtOnce : public RecurrentWork {
 public:
  static Acceptance accepts(const Node& node) {
    const auto r = provider::dims(node.input(kR));
    if (r.size() == 3 && r[1] > 0 && r[2] > 0 && !RecurrentLoop::fits(work_of(node), r[1] / r[2], r[2]))
      return Acceptance::decline("large recurrent weights");
    return RecurrentWork::accepts(node);
  }

  explicit RecurrentAtOnce(const Node& node) : RecurrentWork(node) {
    if (std::min({network_.seq, network_.batch, input_, network_.hidden}) == 0)
      throw provider::Declined{"a dimension of 0"};
    static_cast<RecurrentNetwork&>(loop_) = network_;
    loop_.state_batch = state_batch_, loop_.state_direction = state_direction_;
    if (!RecurrentLoop::fits(work_, loop_.gates, loop_.hidden)) throw provider::Declined{"large recurrent weights"};
    if (!loop_.plan(work_)) throw provider::Declined{"many sequences"};
    r_ = reserve(loop_.directions * loop_.padded * loop_.gates * loop_.hidden);
  }

  void run(RunContext& context) const {
    context.check_cancelled();
    Stream& stream = stream_of(context);
    auto* scratch = static_cast<char*>(context.scratch());
    const Buffers buffers = widened(context);
    RecurrentLoop loop = loop_;
    begin(context, buffers, loop);
    turn_weights(stream, buffers.in[kR], scratch + r_);
    loop.r = scratch + r_;
    loop.h = buffers.in[kH], loop.last_h = buffers.out[1];
    if (lstm_) loop.c = buffers.in[kC], loop.last_c = buffers.out[2];
    launch_recurrent_loop(queue_of(stream), work_, loop);
    narrow(context, buffers);
  }

 private:
  // [directions, rows, hidden] to [directions, padded, rows].
  void turn_weights(Stream& stream, const char* from, char* to) const {
    const int64_t rows = loop_.gates * loop_.hidden, padded = loop_.padded;
    if (padded != loop_.hidden) fill_zero(stream, to, static_cast<size_t>(loop_.directions * padded * rows) * unit_);
    const base::Dims dims = {loop_.directions, loop_.hidden, rows};
    launch_copy(queue_of(stream),
                *walk<2>(dims, {base::Dims{rows * loop_.hidden, 1, loop_.hidden}, base::Dims{padded * rows, rows, 1}}),
                static_cast<int>(unit_), from, to);
  }

  RecurrentLoop loop_;
  size_t r_ = 0;
};

}  // namespace onnxrun::cuda
