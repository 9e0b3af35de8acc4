// The order of a row's elements: NaN counts as the largest, and of equal ones the earlier comes first.
#pragma once

#include <cstdint>

#include "cuda/device/element.h"
#include "cuda/device/reduce.h"

namespace onnxrun::cuda {

// Where a row of `size` elements starts; rows lie as `rows` says.
__device__ inline int64_t first_of_row(const Rows& rows, int64_t row, int64_t size) {
  return row / rows.step * size * rows.step + row % rows.step;
}

// Whether element i of a row comes before element j.
template <class T>
__device__ bool comes_before(const T* x, int64_t step, bool largest, int64_t i, int64_t j) {
  const auto a = widen(x[i * step]), b = widen(x[j * step]);
  const bool a_nan = a != a, b_nan = b != b;
  if (a_nan || b_nan ? a_nan == b_nan : a == b) return i < j;
  const bool greater = a_nan || (!b_nan && a > b);
  return greater == largest;
}

}  // namespace onnxrun::cuda
