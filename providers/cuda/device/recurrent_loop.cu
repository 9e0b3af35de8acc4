// All steps of RNN, GRU and LSTM in one launch.
#include <cuda_runtime.h>

#include <utility>

#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/recurrent_cell.h"

namespace onnxrun::cuda {

using base::DType;

namespace {

constexpr int kThreads = RecurrentLoop::kThreads;
constexpr int kStates = 3 * kThreads / 8;
constexpr int64_t kBlocks = 132;  // that a large device runs at once, each with a multiprocessor of its own
constexpr int64_t kReaders = 64;  // of those, that can read weights anew in each step before they wait for each other
// Weights of its part that a thread keeps in registers, and fours of them beyond those in shared memory.
template <class W>
constexpr int kKept = sizeof(W) == 4 ? 64 : 16;
template <class W>
constexpr int kNear = sizeof(W) == 4 ? 4 : 1;
constexpr int64_t kMostBytes = 512 * 1024;  // of one direction's R: beyond, a step takes longer than two launches

// f(0), f(1), ... with constants, so that arrays that it indexes are registers.
template <int... I, class F>
__device__ void each(std::integer_sequence<int, I...>, F&& f) {
  (f(I), ...);
}

template <class T>
struct alignas(4 * sizeof(T)) Four {
  T at[4];
};

// Thread (part, row) multiplies a part of a row of R; thread (sequence, unit) makes the new state of a unit. W: float32 or float64;
// S sequences of a block.
template <class W, int S>
__global__ void __launch_bounds__(kThreads) recurrent_loop(RecurrentLoop l) {
  constexpr int kFirst = kKept<W>, kFar = kFirst + 4 * kNear<W>;
  __shared__ Four<W> states[kStates];            // of each sequence, padded to fours
  __shared__ W sums[S * kThreads];               // by part, sequence and row
  __shared__ Four<W> near[kNear<W> * kThreads];  // by four and thread
  __shared__ GateFunction functions[3];
  const int n = static_cast<int>(l.hidden), rows = static_cast<int>(l.gates) * n,
            thread = static_cast<int>(threadIdx.x);
  const int64_t direction = blockIdx.y;
  const int fours = static_cast<int>(l.padded / 4);
  const bool resets = l.rules.cell == RecurrentCell::kGru && !l.rules.linear_before_reset;

  const int part = thread / rows, row = thread - part * rows;
  const bool multiplies = part < l.parts;
  const W* column = static_cast<const W*>(l.r) + (direction * l.padded + int64_t{part} * l.chunk) * rows + row;
  W kept[kFirst] = {};
  each(std::make_integer_sequence<int, kFirst>(), [&](int k) {
    if (multiplies && k < l.chunk) kept[k] = column[int64_t{k} * rows];
  });
  for (int k = kFirst; multiplies && k < kFar && k < l.chunk; k += 4) {
    const W* at = column + int64_t{k} * rows;
    near[(k - kFirst) / 4 * kThreads + thread] = {{at[0], at[rows], at[2 * rows], at[3 * rows]}};
  }

  // Sums of the rows [first, last) for all sequences.
  const auto multiply = [&](int first, int last) {
    if (!multiplies || row < first || row >= last) return;
    const Four<W>* state = states + part * (l.chunk / 4);
    W sum[S] = {};
    const auto add = [&](int k, W a, W b, W c, W d) {
      for (int s = 0; s < S; ++s) {
        const Four<W> h = state[s * fours + k / 4];
        sum[s] += a * h.at[0];
        sum[s] += b * h.at[1];
        sum[s] += c * h.at[2];
        sum[s] += d * h.at[3];
      }
    };
    const W* at = column + int64_t{kFar} * rows;
    for (int k = kFar; k < l.chunk; k += 4, at += 4 * int64_t{rows})
      add(k, at[0], at[rows], at[2 * rows], at[3 * rows]);
    for (int k = kFirst; k < kFar && k < l.chunk; k += 4) {
      const Four<W> w = near[(k - kFirst) / 4 * kThreads + thread];
      add(k, w.at[0], w.at[1], w.at[2], w.at[3]);
    }
    each(std::make_integer_sequence<int, kFirst / 4>(), [&](int four) {
      const int k = 4 * four;
      if (k < l.chunk) add(k, kept[k], kept[k + 1], kept[k + 2], kept[k + 3]);
    });
    for (int s = 0; s < S; ++s) sums[(part * S + s) * rows + row] = sum[s];
  };

  const int s = thread / n, j = thread - s * n;
  const int64_t sequence = int64_t{blockIdx.x} * S + s;
  const bool updates = s < S && sequence < l.batch;
  W* mine = reinterpret_cast<W*>(states) + s * 4 * fours + j;
  const int64_t state_at = direction * l.state_direction + sequence * l.state_batch + j;
  W h = 0, c = 0;
  int64_t length = l.seq;
  for (int i = thread; i < S * fours; i += static_cast<int>(blockDim.x)) states[i] = Four<W>{};
  if (thread < 3) functions[thread] = l.functions[direction][thread];
  __syncthreads();
  if (updates) {
    if (l.h != nullptr) h = static_cast<const W*>(l.h)[state_at];
    if (l.c != nullptr) c = static_cast<const W*>(l.c)[state_at];
    *mine = h;
    if (l.lengths != nullptr) length = l.lengths[sequence];
    if (length < 0 || length > l.seq) {
      set(l.report);
      length = 0;
    }
  }
  __syncthreads();

  const bool backwards = l.reversed || direction == 1;
  const W* bias = l.bias == nullptr ? nullptr : static_cast<const W*>(l.bias) + direction * 2 * rows + j;
  const W* peephole = l.peephole == nullptr ? nullptr : static_cast<const W*>(l.peephole) + direction * 3 * n + j;
  W* y = l.y == nullptr ? nullptr : static_cast<W*>(l.y) + direction * l.y_direction + sequence * l.y_batch + j;
  const auto x_at = [&](int64_t t) {
    const int64_t place = l.batch_first ? sequence * l.seq + t : t * l.batch + sequence;
    return static_cast<const W*>(l.from_x) + (place * l.directions + direction) * rows + j;
  };
  for (int64_t step = 0; step < l.seq; ++step) {
    const bool active = updates && step < length;
    const int64_t t = backwards ? length - 1 - step : step;
    // Asked for before the sums, which they are not needed for.
    W from_x[4] = {};
    if (active) {
      const W* x = x_at(t);
      each(std::make_integer_sequence<int, 4>(), [&](int g) {
        if (g < l.gates) from_x[g] = x[g * n];
      });
    }
    const auto x_part = [&](int g) { return from_x[g] + (bias == nullptr ? W(0) : bias[g * n]); };
    const auto h_part = [&](int g) {
      W sum = bias == nullptr ? W(0) : bias[rows + g * n];
      for (int p = 0; p < l.parts; ++p) sum += sums[(p * S + s) * rows + g * n + j];
      return sum;
    };
    multiply(0, resets ? 2 * n : rows);
    __syncthreads();
    if (resets) {
      if (active) *mine = reset_state<W>(l.rules, functions, h, x_part, h_part);
      __syncthreads();
      multiply(2 * n, rows);
      __syncthreads();
    }
    if (active) {
      const auto look = [&](int which, W cell) { return peephole == nullptr ? W(0) : peephole[which * n] * cell; };
      *mine = h = next_state<W>(l.rules, functions, h, c, x_part, h_part, look);
      if (y != nullptr) y[t * l.y_time] = h;
    } else if (updates && y != nullptr) {
      y[step * l.y_time] = W(0);
    }
    __syncthreads();
  }
  if (!updates) return;
  if (l.last_h != nullptr) static_cast<W*>(l.last_h)[state_at] = h;
  if (l.last_c != nullptr) static_cast<W*>(l.last_c)[state_at] = c;
}

template <class W>
void launch_of(const Queue& queue, const RecurrentLoop& l) {
  const dim3 grid(static_cast<unsigned>((l.batch + l.together - 1) / l.together), static_cast<unsigned>(l.directions));
  const int64_t products = l.gates * l.hidden * l.parts, units = l.together * l.hidden;
  const dim3 block(static_cast<unsigned>(((products > units ? products : units) + 31) / 32 * 32));
  switch (l.together) {
    case 1: return launch(queue, recurrent_loop<W, 1>, grid, block, l);
    case 2: return launch(queue, recurrent_loop<W, 2>, grid, block, l);
    default: return launch(queue, recurrent_loop<W, 4>, grid, block, l);
  }
}

}  // namespace

bool RecurrentLoop::fits(DType type, int64_t gates, int64_t hidden) {
  const int64_t bytes = type == DType::kFloat64 ? 8 : 4;
  return hidden <= kThreads && gates * hidden <= kThreads && gates * hidden * hidden * bytes <= kMostBytes;
}

bool RecurrentLoop::plan(DType type) {
  const int units = static_cast<int>(hidden);
  parts = kThreads / (static_cast<int>(gates) * units);
  if (parts > (units + 15) / 16) parts = (units + 15) / 16;
  chunk = ((units + parts - 1) / parts + 3) / 4 * 4;
  padded = parts * chunk;
  // As few sequences a block as let all blocks run at once, and more where each step reads weights from afar; a block's states are threads.
  const bool far =
      chunk > (type == DType::kFloat64 ? kKept<double> + 4 * kNear<double> : kKept<float> + 4 * kNear<float>);
  const auto blocks = [&] { return (batch + together - 1) / together; };
  together = 1;
  while (together < 4 && 2 * together * units <= kThreads && blocks() * directions > (far ? kReaders : kBlocks))
    together *= 2;
  return blocks() <= 2 * kBlocks;
}

void launch_recurrent_loop(const Queue& queue, DType type, const RecurrentLoop& loop) {
  if (type == DType::kFloat64) launch_of<double>(queue, loop);
  else launch_of<float>(queue, loop);
}

}  // namespace onnxrun::cuda
