// Batched matrix products of float32 and float64 whose right operand is packed into panels, in parallel.
#pragma once

#include <cstdint>

#include "cpu/cpu.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/product.h"
#include "cpu/loops/split_product.h"

namespace onnxrun::cpu {

// What products are computed on: float, double, or Bfloat16Pair where multiplies_pairs(). Depths below are panel_depth<Element>(k).

// Packs `count` k x n matrices (element (i, j) at i * row_stride + j * column_stride, matrices k * n apart), each element times `scale`, one after the
// other, each in panel_floats(depth, n).
template <class Element>
void pack_matrices(RunContext& context, const PanelNumber<Element>* b, int64_t count, int64_t row_stride,
                   int64_t column_stride, int64_t k, int64_t n, float scale, Element* packed);

// How products are made of those of bfloat16 parts: null, or one that is worth it, the rows of a, which are not looked at then, as numbers, and its scratch.
struct Split {
  const SplitProduct* product = nullptr;
  const float* a = nullptr;
  char* scratch = nullptr;
};

// y = a * b, or y += a * b with `add`, for each product of `g`, whose k is the depth: matrices of a are m x depth and contiguous, those of y m x n.
template <class Element>
void multiply_packed(RunContext& context, const ProductGeometry& g, const Element* a, const Element* packed, bool add,
                     PanelNumber<Element>* y, const Split& split = {});

// Right operands that are not packed: `count` k x n matrices as for pack_matrices, each element times `scale`.
template <class Element>
struct LooseMatrices {
  const PanelNumber<Element>* data;
  int64_t count, k, row_stride, column_stride;
  float scale = 1;
};

// Elements of scratch that multiply_loose needs: all matrices packed while they are small, else some panels at a time.
int64_t loose_scratch_floats(int64_t count, int64_t depth, int64_t n);

// The same as multiply_packed with matrices that are packed on the way.
template <class Element>
void multiply_loose(RunContext& context, const ProductGeometry& g, const Element* a, const LooseMatrices<Element>& b,
                    Element* scratch, bool add, PanelNumber<Element>* y, const Split& split = {});

}  // namespace onnxrun::cpu
