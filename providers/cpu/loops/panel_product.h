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

}  // namespace onnxrun::cpu
