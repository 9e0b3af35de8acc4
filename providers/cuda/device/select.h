// TopK, Hardmax and LRN.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"
#include "cuda/device/reduce.h"

namespace onnxrun::cuda {

// The k first elements of each row in descending (or ascending) order, of equal ones the earlier; NaN counts as the largest. Either output may be
// null; its rows are `rows.step` apart as those of x, with k elements. Only row sorts use scratch memory.
using TopKLaunch = void (*)(const Queue& queue, const Rows& rows, int64_t k, bool largest, const void* x, void* scratch,
                            void* values, int64_t* indices);
// A block a row; for a k beyond kMostInBlock it takes the elements in turn, which is slow.
constexpr int64_t kMostInBlock = 2048;
TopKLaunch find_top_k(base::DType type);
// Sorts whole rows of fewer than 2^31 elements, as many at once as sort_scratch has room for.
TopKLaunch find_row_sort(base::DType type);
size_t sort_scratch(base::DType type, const Rows& rows);

// One at the first largest element of each row, zero elsewhere.
using HardmaxLaunch = void (*)(const Queue& queue, const Rows& rows, const void* x, void* y);
HardmaxLaunch find_hardmax(base::DType type);

// x / (bias + alpha / size * sum of squares over the neighbouring channels)^beta.
struct LocalResponse {
  int64_t count = 0, channels = 1, plane = 1, size = 1;
  float alpha = 0, beta = 0, bias = 0;
};
using LocalResponseLaunch = void (*)(const Queue& queue, const LocalResponse& how, const void* x, void* y);
LocalResponseLaunch find_local_response(base::DType type);

}  // namespace onnxrun::cuda
