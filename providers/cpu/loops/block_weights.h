// Weights of 2, 4 or 8 bits in blocks with scales, packed into panels of columns, and their products; built for every instruction set level.
#pragma once

#include <cstdint>

#include "cpu/loops/panels.h"

namespace onnxrun::cpu {

// One panel of kPanel columns. The depth is cut into words of 32 / bits elements, as signed numbers less the middle of their range: the word
// of column j at step t is words[t * kPanel + j], its first element in the low bits. Block b has the steps [starts[b], starts[b + 1]).
// A weight is (element - zero) * scale; scales and zeros are those of block b from b * kPanel on.
struct BlockPanel {
  const uint32_t* words;
  const float* scales;
  const int8_t* zeros;       // null: all 0, or in float_zeros
  const float* float_zeros;  // null: all 0, or in zeros
  const int32_t* starts;
  int64_t blocks;
  int bits;
};

// Elements of the depth in a word.
constexpr int64_t word_depth(int bits) { return 32 / bits; }

// C(m x columns) = A * panel. Rows of A are in the panel's order of elements, lda apart; sums[row * blocks + b] is the sum of a row's elements
// of block b, read where the panel has zeros.
void multiply_blocks(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c,
                     int64_t ldc, int64_t columns);

// The weights of blocks [first, last) as float32, kPanel columns a row.
void unpack_blocks(const BlockPanel& panel, int64_t first, int64_t last, float* to);

// Activations of one row as signed bytes, block by block over the largest magnitude: scales[b], the sums of the bytes, and the bytes in the
// order in which multiply_integer_blocks() takes them. `a` is in the panel's order of elements.
void quantize_blocks(const BlockPanel& panel, const float* a, int8_t* bytes, float* scales, int32_t* sums);

// The same product with such activations: rows of bytes are `depth` apart, of scales and sums `blocks`.
void multiply_integer_blocks(const BlockPanel& panel, const int8_t* a, int64_t depth, const float* scales,
                             const int32_t* sums, int64_t m, float* c, int64_t ldc, int64_t columns);

}  // namespace onnxrun::cpu
