// Unique: slices of a tensor sorted, and equal ones found.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// Slice s of x[outer, size, inner]: x[:, s, :]. Slices order by their elements in turn, NaN above all numbers.
struct Slices {
  int64_t outer = 1, size = 0, inner = 1;
  const void* x = nullptr;
};

// What is found out of the slices, each of `size` numbers but where said.
struct UniqueLists {
  int64_t* order = nullptr;   // [padded_slices(size)]: slices in ascending order, equal ones by position
  int64_t* group = nullptr;   // of each slice
  int64_t* first = nullptr;   // slice of each group
  int64_t* begin = nullptr;   // of each group in `order`
  int64_t* rank = nullptr;    // of each group among the results
  int64_t* groups = nullptr;  // [1]: how many there are
};
int64_t padded_slices(int64_t size);

// Fills the lists. Results come in ascending order, or in that of their first slices.
using UniqueLaunch = void (*)(const Queue& queue, const Slices& how, const UniqueLists& lists, bool ascending);
// Numbers, bool and complex numbers; null for other types.
UniqueLaunch find_unique(base::DType type);

// The results: slices of `bytes` bytes an element, their first slices, each slice's result, and how many slices each has. Null: not wanted.
struct UniqueResults {
  void* values = nullptr;
  int64_t* first = nullptr;
  int64_t* inverse = nullptr;
  int64_t* counts = nullptr;
};
void launch_unique_results(const Queue& queue, const Slices& how, const UniqueLists& lists, int64_t groups, int bytes,
                           const UniqueResults& results);

}  // namespace onnxrun::cuda
