// The product with packed panels, whatever an element is: Arithmetic says how one is loaded, spread over a vector and multiplied.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cpu/loops/panels.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

// The vector in which an Arithmetic keeps sums, and its lanes.
template <class Operand, class Sums>
Sums sums_of(Sums (*)(Operand, Operand, Sums));
template <class Arithmetic>
using SumVector = decltype(sums_of(&Arithmetic::add_products));
template <class Arithmetic>
using Sum = std::remove_reference_t<decltype(std::declval<SumVector<Arithmetic>&>()[0])>;
template <class Arithmetic>
constexpr int64_t kSumWidth = kVectorBytes / static_cast<int64_t>(sizeof(Sum<Arithmetic>));

#if ONNXRUN_SIMD_LEVEL >= 4
constexpr int kRows = 6, kVectors = 4, kWide = 4;
#else
constexpr int kRows = 6, kVectors = 2, kWide = 8;
#endif

// What a tile fetches into the second-level cache meanwhile, a line a step: part of what follows the panel in memory, which is multiplied next. An
// address beyond the end does no harm.
struct Ahead {
  static constexpr int64_t kLine = 64;
  uintptr_t at = 0;
  int64_t step = 0;  // kLine, or 0 where nothing is left to fetch
};

// R rows of A times V vectors of columns, in registers.
template <class Arithmetic, int R, int V, class Element>
void tile(const Element* a, int64_t lda, const Element* b, int64_t k, bool add, Sum<Arithmetic>* c, int64_t ldc,
          int64_t columns, Ahead ahead = {}) {
  using Sums = SumVector<Arithmetic>;
  constexpr int64_t kLanes = kSumWidth<Arithmetic>;
  const auto get = [](const Sum<Arithmetic>* from) {
    Sums result;
    std::memcpy(&result, from, sizeof result);
    return result;
  };
  const auto put = [](Sum<Arithmetic>* to, Sums value) { std::memcpy(to, &value, sizeof value); };
  Sums sums[R][V] = {};
  for (int64_t i = 0; i < k; ++i, b += kPanel) {
    if constexpr (R == kRows) {
      __builtin_prefetch(reinterpret_cast<const void*>(ahead.at), 0, 2);
      ahead.at += static_cast<uintptr_t>(ahead.step);
    }
    typename Arithmetic::Operand row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[v] = Arithmetic::load(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const auto x = Arithmetic::splat(a[r * lda + i]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = Arithmetic::add_products(x, row[v], sums[r][v]);
    }
  }
  if (columns >= V * kLanes) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        Sum<Arithmetic>* to = c + r * ldc + v * kLanes;
        put(to, add ? get(to) + sums[r][v] : sums[r][v]);
      }
    return;
  }
  Sum<Arithmetic> buffer[R * V * kLanes];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) put(buffer + (r * V + v) * kLanes, sums[r][v]);
  for (int64_t r = 0; r < R; ++r)
    for (int64_t j = 0; j < columns; ++j) c[r * ldc + j] = buffer[r * V * kLanes + j] + (add ? c[r * ldc + j] : 0);
}

// R rows times all columns of a panel that count.
template <class Arithmetic, int R, int V, class Element>
void across(const Element* a, int64_t lda, const Element* b, int64_t k, bool add, Sum<Arithmetic>* c, int64_t ldc,
            int64_t columns, int64_t fetched = 0) {
  const uintptr_t next = reinterpret_cast<uintptr_t>(b + k * kPanel);
  const int64_t bytes = k * kPanel * static_cast<int64_t>(sizeof(Element));
  int64_t j = 0;
  for (; columns - j > (V / 2) * kSumWidth<Arithmetic>; j += V * kSumWidth<Arithmetic>, fetched += k * Ahead::kLine) {
    const Ahead ahead = fetched < bytes ? Ahead{next + static_cast<uintptr_t>(fetched), Ahead::kLine}
                                        : Ahead{reinterpret_cast<uintptr_t>(a), 0};
    tile<Arithmetic, R, V>(a, lda, b + j, k, add, c + j, ldc, columns - j, ahead);
  }
  for (; columns - j > kSumWidth<Arithmetic>; j += 2 * kSumWidth<Arithmetic>)
    tile<Arithmetic, R, 2>(a, lda, b + j, k, add, c + j, ldc, columns - j);
  if (j < columns) tile<Arithmetic, R, 1>(a, lda, b + j, k, add, c + j, ldc, columns - j);
}

template <class Arithmetic, class Element>
void multiply(const Element* a, int64_t lda, const Element* packed, int64_t m, int64_t k, int64_t n, bool add,
              Sum<Arithmetic>* c, int64_t ldc) {
  constexpr int64_t tiles = kPanel / (kVectors * kSumWidth<Arithmetic>);
  for (int64_t first = 0; first < n; first += kPanel, packed += k * kPanel) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows)
      across<Arithmetic, kRows, kVectors>(a + row * lda, lda, packed, k, add, c + row * ldc + first, ldc, columns,
                                          row / kRows * tiles * k * Ahead::kLine);
    const Element* rest = a + row * lda;
    Sum<Arithmetic>* to = c + row * ldc + first;
    switch (m - row) {
      case 5: across<Arithmetic, 5, kVectors>(rest, lda, packed, k, add, to, ldc, columns); break;
      case 4: across<Arithmetic, 4, kVectors>(rest, lda, packed, k, add, to, ldc, columns); break;
      case 3: across<Arithmetic, 3, kVectors>(rest, lda, packed, k, add, to, ldc, columns); break;
      case 2: across<Arithmetic, 2, kVectors>(rest, lda, packed, k, add, to, ldc, columns); break;
      case 1: across<Arithmetic, 1, kWide>(rest, lda, packed, k, add, to, ldc, columns); break;
      default: break;
    }
  }
}

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
