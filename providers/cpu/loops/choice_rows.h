// Rows that choose between elements or look for the most extreme one, built for every instruction set level.
#pragma once

#include <cstdint>

#include "cpu/loops/row.h"

namespace onnxrun::cpu {

// Where's rows for elements of 1, 2, 4 or 8 bytes; null for others.
RowKernel choice_row(int64_t bytes);

// The index of the largest (or smallest) of n > 0 elements, the first of equal ones or with `last` the last. NaN is more extreme than any number. T
// is float, double, int64_t or uint64_t.
template <class T>
struct ExtremeRows {
  int64_t (*largest)(const T* x, int64_t n, bool last);
  int64_t (*smallest)(const T* x, int64_t n, bool last);
  // Element j of row number `row` competes with best[j] of the rows before, whose number is index[j]; row 0 starts the competition. Of equal ones
  // the first wins, in the second of each two the last.
  using Columns = void (*)(const void* x, int64_t row, int64_t columns, void* best, int64_t* index);
  Columns largest_columns[2], smallest_columns[2];
};
template <class T>
const ExtremeRows<T>& extreme_rows();

}  // namespace onnxrun::cpu
