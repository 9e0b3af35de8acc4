// One step of RNN, GRU and LSTM, a thread a sequence and hidden unit; and weights in the order of a library.
#include "cuda/device/recurrent.h"

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/recurrent_cell.h"

namespace onnxrun::cuda {
namespace {

template <class W>
__global__ void recurrent_step(RecurrentStep s) {
  const auto* from_x = static_cast<const W*>(s.from_x);
  const auto* from_h = static_cast<const W*>(s.from_h);
  const auto* bias = static_cast<const W*>(s.bias);
  const auto* peephole = static_cast<const W*>(s.peephole);
  const auto* before = static_cast<const W*>(s.h);
  auto* next = static_cast<W*>(s.next);
  auto* cells = static_cast<W*>(s.c);
  auto* y = static_cast<W*>(s.y);
  const int64_t n = s.hidden, width = s.gates * n;
  for (int64_t item = first_item(); item < s.batch * n; item += item_step()) {
    const int64_t b = item / n, j = item % n;
    int64_t length = s.lengths == nullptr ? s.seq : s.lengths[b];
    if (length < 0 || length > s.seq) {
      set(s.report);
      length = 0;
    }
    const W h = before[item];
    if (s.step >= length) {
      next[item] = h;
      if (y != nullptr && !s.resets) y[s.step * s.y_time + b * s.y_batch + j] = W(0);
      continue;
    }
    const int64_t t = s.backwards ? length - 1 - s.step : s.step;
    const W* x_row = from_x + (s.batch_first ? b * s.seq + t : t * s.batch + b) * width;
    const W* h_row = from_h + b * width;
    const auto x_part = [&](int64_t gate) {
      return x_row[gate * n + j] + (bias == nullptr ? W(0) : bias[gate * n + j]);
    };
    const auto h_part = [&](int64_t gate) {
      return h_row[gate * n + j] + (bias == nullptr ? W(0) : bias[width + gate * n + j]);
    };
    if (s.resets) {
      next[item] = reset_state<W>(s.rules, s.functions, h, x_part, h_part);
      continue;
    }
    const auto look = [&](int64_t which, W c) { return peephole == nullptr ? W(0) : peephole[which * n + j] * c; };
    W c = cells == nullptr ? W(0) : cells[item];
    const W result = next_state<W>(s.rules, s.functions, h, c, x_part, h_part, look);
    if (cells != nullptr) cells[item] = c;
    next[item] = result;
    if (y != nullptr) y[t * s.y_time + b * s.y_batch + j] = result;
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
  if (step.batch * step.hidden == 0) return;
  const dim3 blocks = blocks_for(step.batch * step.hidden);
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
