// Products with a matrix packed into panels of columns, built for every instruction set level.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/floats.h"

namespace onnxrun::cpu {

inline constexpr int64_t kPanel = 64;  // columns of a panel

// Elements 2i and 2i + 1 of a row of A, or of a column of B, rounded to bfloat16: what one step over k multiplies. Beyond an odd k there is a zero.
struct Bfloat16Pair {
  base::Bfloat16 first, second;
};

// The room of a number in two bfloat16 parts (part_panels.h), which do not stand beside each other.
struct FloatParts {
  uint32_t bits;
};

// In what matrices of Element are stored before they are packed, and their products.
template <class Element>
using PanelNumber = std::conditional_t<std::is_same_v<Element, double>, double, float>;

// Steps over k that elements of a type make.
template <class Element>
constexpr int64_t panel_depth(int64_t k) {
  return k;
}
template <>
constexpr int64_t panel_depth<Bfloat16Pair>(int64_t k) {
  return (k + 1) / 2;
}
template <>
constexpr int64_t panel_depth<FloatParts>(int64_t k) {
  return (k + 31) / 32 * 32;  // whole steps of tiles
}

// Elements that a packed matrix of n columns and a depth takes: columns are padded with zeros to whole panels.
constexpr int64_t panel_floats(int64_t depth, int64_t n) { return (n + kPanel - 1) / kPanel * kPanel * depth; }

// Packs B, whose element (i, j) is b[i * row_stride + j * column_stride], i < k, j < n. Panel p holds, row after row, the columns from p * kPanel.
void pack_panels(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float* packed);
void pack_panels(const double* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, double* packed);
// The same in pairs, panel_depth(k) deep, each element multiplied by `scale` before it is rounded.
void pack_panels(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float scale,
                 Bfloat16Pair* packed);

// A row of k elements as pairs.
void pack_row(const float* from, int64_t k, Bfloat16Pair* to);

// C(m x n) = A(m x k) * B, or C += A * B with `add`. Sums over k are of the same type.
void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc);
void multiply_panels(const double* a, int64_t lda, const double* packed, int64_t m, int64_t k, int64_t n, bool add,
                     double* c, int64_t ldc);

// Whether the level in use multiplies pairs; without, the function below must not be called.
bool multiplies_pairs();
// The same of pairs, `depth` of them in a row of A and in a column of B; lda counts pairs. Denormal operands and sums are zeros.
void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t depth,
                     int64_t n, bool add, float* c, int64_t ldc);

}  // namespace onnxrun::cpu
