// Keeping, reordering and repeating rows of tokens and states.
#include "run/structural/generation/sequences.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "run/structural/axis.h"

namespace onnxrun::run {

using base::DType;
using base::Tensor;

Sequences::Sequences(TensorPool& pool, const Tensor& prompts, int64_t beams, int64_t capacity)
    : length_(prompts.dims()[1]) {
  const int64_t rows = base::checked_mul(prompts.dims()[0], beams);
  now_ = pool.make(DType::kInt32, {rows, capacity});
  next_ = pool.make(DType::kInt32, {rows, capacity});
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(prompts.data<int32_t>() + r / beams * length_, length_, now_.mutable_data<int32_t>() + r * capacity);
}

std::span<const int32_t> Sequences::row(int64_t r) const {
  return {now_.data<int32_t>() + r * now_.dims()[1], static_cast<size_t>(length_)};
}

void Sequences::append(std::span<const int64_t> parents, std::span<const int32_t> tokens) {
  auto* to = next_.mutable_data<int32_t>();
  for (size_t r = 0; r < tokens.size(); ++r, to += now_.dims()[1]) {
    const auto from = row(parents[r]);
    std::copy(from.begin(), from.end(), to);
    to[length_] = tokens[r];
  }
  std::swap(now_, next_);
  ++length_;
}

Tensor Sequences::tokens(TensorPool& pool) const {
  Tensor result = pool.make(DType::kInt32, {rows(), length_});
  for (int64_t r = 0; r < rows(); ++r)
    std::copy_n(row(r).data(), length_, result.mutable_data<int32_t>() + r * length_);
  return result;
}

Tensor pick_rows(const Tensor& tensor, int64_t axis, std::span<const int64_t> rows, TensorPool& pool) {
  base::Dims dims = tensor.dims();
  const auto a = static_cast<size_t>(axis);
  const int64_t extent = dims[a];
  int64_t outer = 1, inner = 1;
  for (size_t d = 0; d < dims.size(); ++d) (d < a ? outer : inner) *= d == a ? 1 : dims[d];
  dims[a] = static_cast<int64_t>(rows.size());
  Tensor result = pool.make(tensor.dtype(), dims);
  if (result.count() == 0) return result;
  int64_t to = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (const int64_t row : rows) copy_elements(tensor, (o * extent + row) * inner, result, to++ * inner, inner);
  return result;
}

Tensor repeat_rows(const Tensor& tensor, int64_t axis, int64_t times, TensorPool& pool) {
  if (times == 1) return tensor;
  std::vector<int64_t> rows(static_cast<size_t>(base::checked_mul(tensor.dims()[static_cast<size_t>(axis)], times)));
  for (size_t r = 0; r < rows.size(); ++r) rows[r] = static_cast<int64_t>(r) / times;
  return pick_rows(tensor, axis, rows, pool);
}

}  // namespace onnxrun::run
