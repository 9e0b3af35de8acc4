// One step of RNN, GRU and LSTM, a thread a sequence and hidden unit; and weights in the order of a library.
#include "cuda/device/recurrent.h"

#include <cmath>

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// Numbers are those of ops::attributes::Activation.
template <class W>
__device__ W activate(const GateFunction& f, W x) {
  const W alpha = static_cast<W>(f.alpha), beta = static_cast<W>(f.beta);
  switch (f.kind) {
    case 0: return x > 0 || x != x ? x : W(0);
    case 1: return tanh(x);
    case 2: return W(1) / (W(1) + exp(-x));
    case 3: return alpha * x + beta;
    case 4: return x >= 0 || x != x ? x : alpha * x;
    case 5: return x >= alpha || x != x ? x : W(0);
    case 6: return alpha * tanh(beta * x);
    case 7: {
      const W y = alpha * x + beta;
      return y < 0 ? W(0) : y > 1 ? W(1) : y;
    }
    case 8: return x >= 0 || x != x ? x : alpha * expm1(x);
    case 9: return x / (W(1) + fabs(x));
    default: return (x > 0 ? x : W(0)) + log1p(exp(-fabs(x)));
  }
}

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
      if (y != nullptr && s.cell != RecurrentCell::kGruReset) y[s.step * s.y_time + b * s.y_batch + j] = W(0);
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
    const auto gate = [&](int f, W x) {
      if (s.clips) {
        const W bound = static_cast<W>(s.clip);
        x = x < -bound ? -bound : x > bound ? bound : x;
      }
      return activate(s.functions[f], x);
    };
    W result = 0;
    switch (s.cell) {
      case RecurrentCell::kRnn: result = gate(0, x_part(0) + h_part(0)); break;
      case RecurrentCell::kGruReset: next[item] = gate(0, x_part(1) + h_part(1)) * h; continue;
      case RecurrentCell::kGru: {
        const W z = gate(0, x_part(0) + h_part(0));
        const W recurrent = s.linear_before_reset ? gate(0, x_part(1) + h_part(1)) * h_part(2) : h_part(2);
        result = (W(1) - z) * gate(1, x_part(2) + recurrent) + z * h;
        break;
      }
      case RecurrentCell::kLstm: {
        W c = cells[item];
        const auto look = [&](int64_t which) { return peephole == nullptr ? W(0) : peephole[which * n + j] * c; };
        const W i = gate(0, x_part(0) + h_part(0) + look(0));
        const W f = s.input_forget ? W(1) - i : gate(0, x_part(2) + h_part(2) + look(2));
        c = f * c + i * gate(1, x_part(3) + h_part(3));
        const W o = gate(0, x_part(1) + h_part(1) + look(1));
        result = o * gate(2, c);
        cells[item] = c;
        break;
      }
    }
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
