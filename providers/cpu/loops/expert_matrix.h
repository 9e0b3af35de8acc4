// The matrices of a mixture's experts, row by row as float32, whatever they are stored in; and products of tokens with them.
#pragma once

#include <vector>

#include "cpu/cpu.h"

namespace onnxrun::cpu {

// One projection of all experts: [experts, rows, columns] of a floating-point type, or packed numbers of 2, 4 or 8 bits with scales.
class ExpertMatrix {
 public:
  // Inputs of the node; 0: absent. `block`: numbers that share a scale, 0: a row.
  struct Inputs {
    size_t weights, scales, bias, zeros;
  };
  ExpertMatrix(const Node& node, const Inputs& inputs, int64_t rows, int64_t columns, int64_t bits, int64_t block);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }

  // y[count, rows] = x[count, columns] times the transposed matrix of expert `e`, plus its bias. Parallel over rows.
  void multiply(RunContext& context, int64_t e, const float* x, int64_t count, float* y) const;

 private:
  void row(const RunContext& context, int64_t e, int64_t n, float* out) const;
  int64_t number(const uint8_t* packed, int64_t i) const;

  Inputs in_;
  DType weights_, scales_ = DType::kNone, bias_ = DType::kNone;
  int64_t rows_, columns_, bits_, block_;
  bool zeros_;
};

}  // namespace onnxrun::cpu
