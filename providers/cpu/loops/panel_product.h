// Batched float32 matrix products whose right operand is packed into panels, in parallel.
#pragma once

#include <cstdint>

#include "cpu/cpu.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/product.h"

namespace onnxrun::cpu {

// Packs `count` k x n matrices (element (i, j) at i * row_stride + j * column_stride, matrices k * n apart) one after the other, each in
// panel_floats(k, n).
void pack_matrices(RunContext& context, const float* b, int64_t count, int64_t row_stride, int64_t column_stride,
                   int64_t k, int64_t n, float* packed);

// y = a * b, or y += a * b with `add`, for each product of `g`: matrices of a are m x k and contiguous, those of y m x n.
void multiply_packed(RunContext& context, const ProductGeometry& g, const float* a, const float* packed, bool add,
                     float* y);

// Right operands that are not packed: `count` k x n matrices as for pack_matrices, each element times `scale`.
struct LooseMatrices {
  const float* data;
  int64_t count, row_stride, column_stride;
  float scale = 1;
};

// Floats of scratch that multiply_loose needs: all matrices packed while they are small, else some panels at a time.
int64_t loose_scratch_floats(int64_t count, int64_t k, int64_t n);

// The same as multiply_packed with matrices that are packed on the way.
void multiply_loose(RunContext& context, const ProductGeometry& g, const float* a, const LooseMatrices& b,
                    float* scratch, bool add, float* y);

}  // namespace onnxrun::cpu
