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

enum class RecurrentCell { kRnn, kGruReset, kGru, kLstm };

// Of one direction. All data of one type: float32 or float64. Gates in ONNX's order.
struct RecurrentStep {
  RecurrentCell cell = RecurrentCell::kRnn;
  int64_t step = 0, seq = 0, batch = 0, hidden = 0, gates = 1;
  bool backwards = false, batch_first = false, linear_before_reset = false, input_forget = false;
  bool clips = false;
  float clip = 0;
  GateFunction functions[3];
  const int32_t* lengths = nullptr;  // of the sequences; null: seq
  Report report;
  const void* from_x = nullptr;  // [seq, batch, gates * hidden], batch before seq where batch_first
  const void* from_h = nullptr;  // [batch, gates * hidden]; of a GRU that resets first, the last third is of reset * h
  const void* bias = nullptr;    // [2 * gates * hidden], or null
  const void* peephole = nullptr;
  const void* h = nullptr;  // [batch, hidden]
  void* next = nullptr;     // h after the step; of kGruReset: reset * h
  void* c = nullptr;        // LSTM's cell state, changed
  void* y = nullptr;        // the direction's part of Y, or null; elements y_time, y_batch apart
  int64_t y_time = 0, y_batch = 0;
};
void launch_recurrent(const Queue& queue, base::DType type, const RecurrentStep& step);

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
