// What the products with blocks of weights in float32 and with 8-bit activations share.
#pragma once

#include "cpu/loops/block_weights.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {

inline IntVector load_words(const uint32_t* from) {
  IntVector result;
  std::memcpy(&result, from, sizeof result);
  return result;
}

inline bool has_zeros(const BlockPanel& panel) { return panel.zeros != nullptr || panel.float_zeros != nullptr; }

// The zeros of a vector of columns; `at` is as in panel.scales.
inline Vector zeros_of(const BlockPanel& panel, int64_t at) {
  if (panel.float_zeros != nullptr) return load(panel.float_zeros + at);
  float values[kWidth];
  for (int64_t l = 0; l < kWidth; ++l) values[l] = static_cast<float>(panel.zeros[at + l]);
  return load(values);
}

// Stores R rows of V vectors at column `first` of c, which has `columns` columns.
template <int R, int V>
void store_tile(const Vector (&totals)[R][V], int64_t first, float* c, int64_t ldc, int64_t columns) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const int64_t left = columns - first - v * kWidth;
      float* to = c + r * ldc + first + v * kWidth;
      if (left >= kWidth) store(to, totals[r][v]);
      else if (left > 0) store_part(to, totals[r][v], left);
    }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
