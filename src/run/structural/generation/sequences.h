// The tokens of all beams while they are generated.
#pragma once

#include <cstdint>
#include <span>

#include "run/tensor_pool.h"

namespace onnxrun::run {

// Rows are beams, those of one batch item side by side. All have the same length.
class Sequences {
 public:
  // `prompts`: int32 [batch, length]; each becomes `beams` rows with room for `capacity` tokens.
  Sequences(TensorPool& pool, const base::Tensor& prompts, int64_t beams, int64_t capacity);

  int64_t rows() const { return now_.dims()[0]; }
  int64_t length() const { return length_; }
  std::span<const int32_t> row(int64_t r) const;
  // Row r becomes row parents[r] followed by tokens[r].
  void append(std::span<const int64_t> parents, std::span<const int32_t> tokens);
  // All tokens, [rows, length].
  base::Tensor tokens(TensorPool& pool) const;

 private:
  base::Tensor now_, next_;  // [rows, capacity]
  int64_t length_ = 0;
};

// Rows `rows` of a tensor along `axis`, in that order.
base::Tensor pick_rows(const base::Tensor& tensor, int64_t axis, std::span<const int64_t> rows, TensorPool& pool);
// Each row `times` times, side by side.
base::Tensor repeat_rows(const base::Tensor& tensor, int64_t axis, int64_t times, TensorPool& pool);

}  // namespace onnxrun::run
