// Products of a few rows with matrices as they lie in memory, which are not worth packing for them.
#pragma once

#include "cpu/cpu.h"
#include "cpu/loops/product.h"

namespace onnxrun::cpu {

// Rows of a up to which it is faster so, whatever the columns (`./dev bench operators --filter MatMul`).
inline constexpr int64_t kThinRows = 8;

// Rows of a with some columns of b, one of whose strides is 1; strides are in elements, of b between rows and between columns. Built for every instruction set level.
struct ThinProduct {
  const float* a;
  int64_t lda, m, k;
  const float* b;
  int64_t b_row, b_column, n;
  bool add;
  float* y;
  int64_t ldy;
};
void multiply_thin(const ThinProduct& product);

// The products of `g`, of rows of `k` elements, whatever its own k counts, with matrices of b that lie one behind the other.
void multiply_thin(RunContext& context, const ProductGeometry& g, int64_t k, const float* a, const float* b,
                   int64_t b_row, int64_t b_column, bool add, float* y);

}  // namespace onnxrun::cpu
