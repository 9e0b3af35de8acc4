// Constant weights as rows that are summed separately, and their codes in the forms in which operators take them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "quantise/codes.h"
#include "quantise/settings.h"

namespace onnxrun::quantise {

// `rows` output channels of `length` weights each.
struct Matrix {
  int64_t rows = 0, length = 0;
  std::vector<float> data;

  std::span<const float> row(int64_t i) const {
    return std::span(data).subspan(static_cast<size_t>(i * length), static_cast<size_t>(length));
  }
};

// Of a float32 tensor: its first axis counts the rows, or its last does (of rank 2).
Matrix rows_of(const base::Tensor& tensor);
Matrix columns_of(const base::Tensor& tensor);

// A matrix in codes. Each row has ceil(length / block) grids.
struct Coded {
  int64_t rows = 0, length = 0, block = 0;
  CodeRange range;
  std::vector<int16_t> codes;
  std::vector<Grid> grids;
  bool zeros = false;  // some grid's zero is not that which an absent zero point stands for
  double error = 0;    // root mean square of the errors against the size of the weights

  int64_t blocks() const { return (length + block - 1) / block; }
};

// `block` 0: a row is one block. `single`: one grid for all. `importance`: how much an error of each place of a row counts; empty: all the same. `coded`
// says of the codes: unsigned and 2^(bits - 1) for a middle zero (MatMulNBits), or as the settings' type has them. Throws kDeadline and kLimitExceeded.
enum class Codes { kUnsigned, kOfType };
Coded encode(const Matrix& matrix, const Settings& settings, int64_t block, Codes codes,
             std::span<const float> importance = {}, bool single = false);

// What encode works with: the search for grids, what a matrix and its codes take while they are made, codes yet to be set, and their error once they are.
GridSearch search_for(const Settings& settings, Codes codes);
base::Charge charge_codes(const Matrix& matrix, const Allowance& allowance);
Coded empty_code(const Matrix& matrix, const GridSearch& search, int64_t block);
void measure(Coded& coded, const Matrix& matrix);

// What is multiplied when the codes are.
Matrix decode(const Coded& coded);

// The operands of MatMulNBits: [rows, blocks, bytes], [rows, blocks] and, where there are zero points, their packed bytes [rows, bytes].
struct PackedBlocks {
  base::Tensor codes, scales, zeros;
};
PackedBlocks pack_blocks(const Coded& coded, int bits);

// Tensors of type `dtype` (int8, uint8, int4, uint4) with the elements of the rows in order, and the scales and zeros of the grids; zeros may be none.
struct Tensors {
  base::Tensor codes, scales, zeros;
};
// Of shape [rows, length] with grids [rows] or [rows, blocks]; `turned`: [length, rows], grids [rows] or [blocks, rows].
Tensors to_tensors(const Coded& coded, base::DType dtype, bool turned);

}  // namespace onnxrun::quantise
