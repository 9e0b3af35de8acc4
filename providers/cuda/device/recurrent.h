// One step of RNN, GRU and LSTM after the products, gates to states; and weights in the order of a library.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// An activation by the number of ops::attributes::Activation.
struct GateFunction {
  int kind = 0;
  float alpha = 0, beta = 0;
};

enum class RecurrentCell { kRnn, kGru, kLstm };

struct CellRules {
  RecurrentCell cell = RecurrentCell::kRnn;
  bool linear_before_reset = false, input_forget = false, clips = false;
  float clip = 0;
};

// A node as kernels see it. All data of one type: float32 or float64. Gates in ONNX's order.
struct RecurrentNetwork {
  CellRules rules;
  GateFunction functions[2][3];  // by direction
  int64_t seq = 0, batch = 0, directions = 1, hidden = 0, gates = 1;
  bool reversed = false, batch_first = false;
  const int32_t* lengths = nullptr;  // of the sequences; null: seq
  Report report;
  const void* from_x = nullptr;  // [seq, batch, directions, gates * hidden], batch before seq where batch_first
  const void *bias = nullptr, *peephole = nullptr;  // as the node has them, or null
  void* y = nullptr;                                // the same
  int64_t y_time = 0, y_batch = 0, y_direction = 0;
};

// One step after its products, of all directions; states are [directions, batch, hidden].
struct RecurrentStep : RecurrentNetwork {
  int64_t step = 0;
  bool resets = false;           // only a GRU's reset * h is wanted
  const void* from_h = nullptr;  // [directions, batch, gates * hidden], without the last gate where from_reset has it
  const void* from_reset = nullptr;  // of reset * h: [directions, batch, hidden]
  const void* h = nullptr;
  void* next = nullptr;  // h after the step, or reset * h
  void* c = nullptr;     // an LSTM's cell state, changed
};
void launch_recurrent(const Queue& queue, base::DType type, const RecurrentStep& step);

// All steps at once, of a network whose recurrent weights are small: a block has a few sequences of a direction and reads the weights each
// step anew, from what the chip keeps near.
struct RecurrentLoop : RecurrentNetwork {
  static constexpr int kThreads = 512;
  int together = 1;          // sequences of a block: 1, 2 or 4
  int parts = 1, chunk = 4;  // the sums of a gate are in so many parts, of `chunk` rows of r, a multiple of 4
  int padded = 4;            // rows of r of a direction: parts * chunk
  const void* r = nullptr;   // [directions, padded, gates * hidden]: R, turned, and rows of zeros
  const void *h = nullptr, *c = nullptr;      // as the node has them, or null
  void *last_h = nullptr, *last_c = nullptr;  // the same
  int64_t state_batch = 0, state_direction = 0;

  // Whether the weights are small enough.
  static bool fits(base::DType type, int64_t gates, int64_t hidden);
  // Sets `together` to `padded` for sizes that fit; false: of so many sequences, better step by step.
  bool plan(base::DType type);
};
void launch_recurrent_loop(const Queue& queue, base::DType type, const RecurrentLoop& loop);

// Pieces of up to three tensors, copied to where a library wants them. All numbers in units of `bytes` bytes: 1, 2, 4, 8 or 16.
struct Pieces {
  static constexpr int kMost = 32;
  struct Piece {
    int source;
    int64_t from, to, count;
  };
  int count = 0, bytes = 1;
  const void* sources[3] = {};  // null: zeros
  void* target = nullptr;
  Piece pieces[kMost];
};
void launch_pieces(const Queue& queue, const Pieces& pieces);

}  // namespace onnxrun::cuda
