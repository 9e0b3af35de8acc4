// One step of RNN, GRU and LSTM, a thread a direction, sequence and hidden unit; and weights in the order of a library.
#include "cuda/device/recurrent.h"

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/recurrent_cell.h"

namespace onnxrun::cuda {
namespace {

template <class W>
__global__ void recurrent_step(RecurrentStep s) {
  const auto* before = static_cast<const W*>(s.h);
  auto* next = static_cast<W*>(s.next);
  auto* cells = static_cast<W*>(s.c);
  const int64_t n = s.hidden, width = s.gates * n, h_width = s.from_reset != nullptr || s.resets ? width - n : width;
  for (int64_t item = first_item(); item < s.directions * s.batch * n; item += item_step()) {
    const int64_t row = item / n, j = item - row * n, direction = row / s.batch, b = row - direction * s.batch;
    auto* y = s.y == nullptr ? nullptr : static_cast<W*>(s.y) + direction * s.y_direction + b * s.y_batch + j;
    int64_t length = s.lengths == nullptr ? s.seq : s.lengths[b];
    if (length < 0 || length > s.seq) {
      set(s.report);
      length = 0;
    }
    const W h = before[item];
    if (s.step >= length) {
      next[item] = h;
      if (y != nullptr && !s.resets) y[s.step * s.y_time] = W(0);
      continue;
    }
    const int64_t t = s.reversed || direction == 1 ? length - 1 - s.step : s.step;
    const int64_t place = s.batch_first ? b * s.seq + t : t * s.batch + b;
    const W* from_x = static_cast<const W*>(s.from_x) + (place * s.directions + direction) * width + j;
    const W* from_h = static_cast<const W*>(s.from_h) + row * h_width + j;
    const W* bias = s.bias == nullptr ? nullptr : static_cast<const W*>(s.bias) + direction * 2 * width + j;
    const W* peephole = s.peephole == nullptr ? nullptr : static_cast<const W*>(s.peephole) + direction * 3 * n + j;
    const auto x_part = [&](int64_t gate) { return from_x[gate * n] + (bias == nullptr ? W(0) : bias[gate * n]); };
    const auto h_part = [&](int64_t gate) {
      const W sum = gate * n < h_width ? from_h[gate * n] : static_cast<const W*>(s.from_reset)[item];
      return sum + (bias == nullptr ? W(0) : bias[width + gate * n]);
    };
    const GateFunction* functions = s.functions[direction];
    if (s.resets) {
      next[item] = reset_state<W>(s.rules, functions, h, x_part, h_part);
      continue;
    }
    const auto look = [&](int64_t which, W c) { return peephole == nullptr ? W(0) : peephole[which * n] * c; };
    W c = cells == nullptr ? W(0) : cells[item];
    const W result = next_state<W>(s.rules, functions, h, c, x_part, h_part, look);
    if (cells != nullptr) cells[item] = c;
    next[item] = result;
    if (y != nullptr) y[t * s.y_time] = result;
  }
}

// Row y of the grid copies piece y.
template <class T>
__global__ void copy_pieces(Pieces all) {
  const Pieces::Piece& piece = all.pieces[blockIdx.y];
  const T* from = static_cast<const T*>(all.sources[piece.source]);
  T* to = static_cast<T*>(all.target) + piece.to;
  for (int64_t i = first_item(); i < piece.count; i += item_step())
    to[i] = from == nullptr ? T{} : from[piece.from + i];
}

}  // namespace

void launch_recurrent(const Queue& queue, DType type, const RecurrentStep& step) {
  const int64_t units = step.directions * step.batch * step.hidden;
  if (units == 0) return;
  const dim3 blocks = blocks_for(units);
  if (type == DType::kFloat64) launch(queue, recurrent_step<double>, blocks, kThreads, step);
  else launch(queue, recurrent_step<float>, blocks, kThreads, step);
}

void launch_pieces(const Queue& queue, const Pieces& pieces) {
  int64_t largest = 0;
  for (int i = 0; i < pieces.count; ++i) largest = largest < pieces.pieces[i].count ? pieces.pieces[i].count : largest;
  if (largest == 0) return;
  dim3 blocks = blocks_for(largest);
  blocks.y = static_cast<unsigned>(pieces.count);
  with_bytes(pieces.bytes,
             [&]<class T>(std::type_identity<T>) { launch(queue, copy_pieces<T>, blocks, kThreads, pieces); });
}

}  // namespace onnxrun::cuda
