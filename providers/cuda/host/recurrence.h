// Recurrent networks of one layer by cuDNN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/dtype.h"
#include "cuda/host/stream.h"

namespace onnxrun::cuda {

enum class RecurrenceCell { kRelu, kTanh, kLstm, kGru };  // a GRU resets after its product

struct RecurrenceShape {
  RecurrenceCell cell = RecurrenceCell::kTanh;
  int64_t directions = 1;  // the second one backwards
  int64_t seq = 0, batch = 0, input = 0, hidden = 0;

  int64_t gates() const { return cell == RecurrenceCell::kLstm ? 4 : cell == RecurrenceCell::kGru ? 3 : 1; }
};

// A network of one shape, sequences all of its length. Thread-safe.
class Recurrence {
 public:
  // float16, and float32 below the highest precision: cuDNN bounds no errors of its cells, and those of small networks are ten times
  // float32's. `precision` as in onnxrun_node.
  static bool serves(base::DType type, int precision);
  // Asks the calling thread's device. No dimension is 0. Throws Declined with cuDNN's reason.
  Recurrence(base::DType type, int precision, const RecurrenceShape& shape);
  ~Recurrence();
  Recurrence(Recurrence&&) noexcept;

  // Of what the weights are copied to before a run, in cuDNN's order.
  size_t weight_bytes() const;
  // Where a gate's rows begin there, in bytes: [hidden, input], from gates() on [hidden, hidden]. An LSTM's gates are input, forget,
  // cell, output, a GRU's reset, update, new.
  size_t matrix_at(int64_t direction, int64_t gate) const;
  size_t bias_at(int64_t direction, int64_t gate) const;  // [hidden], of zeros where there are none
  size_t workspace_bytes() const;

  struct Memory {
    const void* x = nullptr;                        // [seq, batch, input]
    void* y = nullptr;                              // [seq, batch, directions * hidden]
    const void *h = nullptr, *c = nullptr;          // [directions, batch, hidden], or null: zeros
    void *last_h = nullptr, *last_c = nullptr;      // the same, or null: not wanted
    void *weights = nullptr, *workspace = nullptr;  // aligned to 256
  };
  void run(Stream& stream, const Memory& memory) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace onnxrun::cuda
