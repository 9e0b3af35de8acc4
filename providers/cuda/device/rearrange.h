// Elements moved to where lengths, starts or indices put them: ReverseSequence, TensorScatter, MaxUnpool.
#pragma once

#include <cstdint>

#include "cuda/device/axes.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// x[first, second, inner], of which one axis is time and the other one the batch; lengths[batch]. The first `length` times come in reverse.
struct Reversal {
  int64_t first = 0, second = 0, inner = 1;
  bool time_first = true;
  const int64_t* lengths = nullptr;
  Report report;  // of a length that is none
};
void launch_reverse(const Queue& queue, const Reversal& how, int bytes, const void* x, void* y);

// y[outer, room, inner]: its rows from the start of the batch on become x[outer, rows, inner]; beyond the end, those at the beginning where
// it is circular. starts[batch], or null: 0.
struct RowsInto {
  int64_t outer = 0, per_batch = 1, room = 0, rows = 0, inner = 1;
  bool circular = false;
  const int64_t* starts = nullptr;
  Report report;  // of rows that do not fit
};
void launch_rows_into(const Queue& queue, const RowsInto& how, int bytes, const void* x, void* y);

// y[places[i]] = x[i]. Places count in a tensor of dims `counted`; y has the dims `out`, none smaller.
struct Unpooling {
  int rank = 0;
  int64_t count = 0, limit = 1;  // elements of x, and of `counted`
  int64_t counted[kMaxAxes], out[kMaxAxes];
  const int64_t* places = nullptr;
  Report report;  // of a place beyond the limit
};
void launch_unpool(const Queue& queue, const Unpooling& how, int bytes, const void* x, void* y);

}  // namespace onnxrun::cuda
