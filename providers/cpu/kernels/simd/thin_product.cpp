// Products of a few rows with a matrix as it lies in memory at one instruction set level.
#include "cpu/loops/thin_product.h"

#include <algorithm>

#include "some_lanes.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_thin(const ThinProduct& product);

namespace {

#if ONNXRUN_SIMD_LEVEL >= 4
constexpr int kGroup = 4;  // rows of b, or columns, together
#else
constexpr int kGroup = 2;
#endif

constexpr int64_t kDepth = 512;    // of sums that are added up by themselves, so that errors do not grow with the depth
constexpr int64_t kColumns = 512;  // of such sums

// Adds the products of G rows of b, whose elements lie side by side, from row k on, to M rows of sums.
template <int M, int G>
void add_rows(const ThinProduct& p, int64_t k, bool add) {
  Vector factors[M][G];
  for (int r = 0; r < M; ++r)
    for (int i = 0; i < G; ++i) factors[r][i] = splat(p.a[r * p.lda + k + i]);
  const float* b = p.b + k * p.b_row;
  const auto columns = [&](int64_t j, int64_t n) __attribute__((always_inline)) {
    const auto from_memory = [n](const float* from) { return n == kWidth ? load(from) : load_some(from, n, 0.0f); };
    Vector sums[M];
#pragma GCC unroll 4
    for (int r = 0; r < M; ++r) sums[r] = add ? from_memory(p.y + r * p.ldy + j) : Vector{};
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) {
      const Vector row = from_memory(b + i * p.b_row + j);
#pragma GCC unroll 4
      for (int r = 0; r < M; ++r) sums[r] = madd(factors[r][i], row, sums[r]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < M; ++r) {
      if (n == kWidth) store(p.y + r * p.ldy + j, sums[r]);
      else store_some(p.y + r * p.ldy + j, sums[r], n);
    }
  };
  int64_t j = 0;
  for (; j + kWidth <= p.n; j += kWidth) columns(j, kWidth);
  if (j < p.n) columns(j, p.n - j);
}

// At most kDepth rows of b.
template <int M>
void add_up(const ThinProduct& p) {
  int64_t k = 0;
  for (; k + kGroup <= p.k; k += kGroup) add_rows<M, kGroup>(p, k, p.add || k > 0);
  for (; k < p.k; ++k) add_rows<M, 1>(p, k, p.add || k > 0);
}

template <int M>
void by_rows(const ThinProduct& p) {
  if (p.k <= kDepth) return add_up<M>(p);
  float sums[M * kColumns];
  for (int64_t first = 0; first < p.n; first += kColumns) {
    ThinProduct block = p;
    block.n = std::min(kColumns, p.n - first);
    block.add = false;
    block.y = sums;
    block.ldy = kColumns;
    for (int64_t k = 0; k < p.k; k += kDepth) {
      block.a = p.a + k;
      block.b = p.b + k * p.b_row + first;
      block.k = std::min(kDepth, p.k - k);
      add_up<M>(block);
      for (int r = 0; r < M; ++r) {
        float* y = p.y + r * p.ldy + first;
        for (int64_t j = 0; j < block.n; ++j) y[j] = (p.add || k > 0 ? y[j] : 0.0f) + sums[r * kColumns + j];
      }
    }
  }
}

// The products of M rows with C columns whose elements lie side by side.
template <int M, int C>
void dots(const ThinProduct& p, int64_t first) {
  Vector sums[M][C] = {};
  const auto take = [&](int64_t k, auto&& get) {
    Vector columns[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) columns[c] = get(p.b + (first + c) * p.b_column + k);
#pragma GCC unroll 4
    for (int r = 0; r < M; ++r) {
      const Vector row = get(p.a + r * p.lda + k);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sums[r][c] = madd(row, columns[c], sums[r][c]);
    }
  };
  int64_t k = 0;
  for (; k + kWidth <= p.k; k += kWidth) take(k, [](const float* from) { return load(from); });
  if (k < p.k) take(k, [&](const float* from) { return load_some(from, p.k - k, 0.0f); });
  for (int r = 0; r < M; ++r)
    for (int c = 0; c < C; ++c) {
      float& y = p.y[r * p.ldy + first + c];
      y = (p.add ? y : 0.0f) + sum_of(sums[r][c]);
    }
}

template <int M>
void by_columns(const ThinProduct& p) {
  int64_t j = 0;
  for (; j + kGroup <= p.n; j += kGroup) dots<M, kGroup>(p, j);
  for (; j < p.n; ++j) dots<M, 1>(p, j);
}

template <int M>
void multiply(const ThinProduct& p) {
  if (p.b_row == 1 && (p.b_column != 1 || p.n == 1)) by_columns<M>(p);
  else by_rows<M>(p);
}

}  // namespace

void multiply_thin(const ThinProduct& product) {
  ThinProduct p = product;
  constexpr int64_t kMost = 4;  // rows together
  for (int64_t left = product.m; left > 0; left -= p.m, p.a += p.m * p.lda, p.y += p.m * p.ldy) {
    p.m = left >= kMost ? kMost : left >= 2 ? 2 : 1;
    switch (p.m) {
      case 1: multiply<1>(p); break;
      case 2: multiply<2>(p); break;
      default: multiply<4>(p); break;
    }
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
