// Products of strided runs, summed or added up element by element, built for every instruction set level.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// Steps between elements may be any; 0 and 1 are fast. T is float, double or uint64_t; integers wrap.
template <class T>
struct ProductRows {
  // The sum of a[i * a_step] * b[i * b_step], i < n.
  T (*dot)(const T* a, int64_t a_step, const T* b, int64_t b_step, int64_t n);
  // y[i] = a[i * a_step] * b[i * b_step], or y[i] += the same with `add`.
  void (*multiply)(const T* a, int64_t a_step, const T* b, int64_t b_step, int64_t n, bool add, T* y);
};

// Those of this machine's level.
template <class T>
const ProductRows<T>& product_rows();

}  // namespace onnxrun::cpu
