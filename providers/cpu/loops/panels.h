// Products with a float32 matrix packed into panels of columns, built for every instruction set level.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

inline constexpr int64_t kPanel = 64;  // columns of a panel

// Floats that a packed k x n matrix takes: columns are padded with zeros to whole panels.
constexpr int64_t panel_floats(int64_t k, int64_t n) { return (n + kPanel - 1) / kPanel * kPanel * k; }

// Packs B, whose element (i, j) is b[i * row_stride + j * column_stride], i < k, j < n. Panel p holds, row after row, the columns from p * kPanel.
void pack_panels(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float* packed);

// C(m x n) = A(m x k) * B, or C += A * B with `add`. Sums over k are float32.
void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc);

}  // namespace onnxrun::cpu
