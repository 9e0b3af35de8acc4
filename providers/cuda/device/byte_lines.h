// Operands of cuBLASLt's products of int8, and what becomes of the sums: lines along the depth, of which every pair is multiplied. uint8 is stored
// less 128; the depth is filled up with zeros.
#pragma once

#include <cstdint>

#include "cuda/device/integer.h"

namespace onnxrun::cuda {

// The lines of one operand, for each of `groups` products.
struct ByteLines {
  int64_t groups = 1, lines = 0, depth = 0;
  int64_t padded_lines = 0, padded_depth = 0;  // as stored; the depth is a multiple of 16
  bool is_unsigned = false;
  bool ones = false;  // behind the last line is one of ones, whose products are the sums of the other operand's lines

  int64_t bytes() const { return groups * padded_lines * padded_depth; }
};

// The lines are rows, from[group, line, depth]; sums[group, line] of what is stored.
struct ByteRows {
  ByteLines lines;
  const void* from = nullptr;
  int8_t* to = nullptr;
  int32_t* sums = nullptr;
};

// A line holds what the filters see at an output position: the positions [first, first + lines) of all images' together; where they see beyond the
// image, the zero point. The columns of a matrix [depth, lines] are lines of an image with `depth` channels and a filter of one element. Positions,
// depth and distances within a group of an image are below 2^30.
struct BytePatches {
  ByteLines lines;
  IntegerConvolution image;
  int64_t first = 0;
  const void* x = nullptr;
  int8_t* to = nullptr;
};

// Writes the lines of both operands, or of patches alone where there are no rows.
void launch_byte_lines(const Queue& queue, const ByteRows* rows, const BytePatches& patches);

// sums[group, row, column] of stored bytes to y[image, line, place]: lines are the rows of all groups together, and the columns stand for those from
// `first` on of a result in which column c is at place c % image_size of image c / image_size.
struct ByteSums {
  int64_t groups = 1, rows = 0, columns = 0, depth = 0;
  int64_t padded_rows = 0, padded_columns = 0;  // of the sums
  int64_t first = 0, image_size = 0;
  const int32_t* sums = nullptr;
  const int32_t* row_sums =
      nullptr;        // of the operand with the rows, for each line; null: in the column behind the last
  bool ones = false;  // the row behind the last holds the columns' own sums; else the rows' zero points are stored as 0
  bool rows_unsigned = false, columns_unsigned = false;
  PerLine row_zero, column_zero;  // one a line, one a column of the result
  const int32_t* bias = nullptr;  // of each line
  bool filters = false;           // the rows are filters, which `ends` counts as columns
  Requantization ends;
};
using ByteSumsLaunch = void (*)(const Queue& queue, const ByteSums& how, void* y);
// y is int32, float32, int8 or uint8. Null otherwise.
ByteSumsLaunch find_byte_sums(base::DType y);

}  // namespace onnxrun::cuda
