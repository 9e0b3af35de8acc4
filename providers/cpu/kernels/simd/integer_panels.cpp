// The product with packed 8-bit panels at one instruction set level.
#include "cpu/loops/integer_panels.h"

#include <cstring>

#include "amx_tiles.h"
#include "integer_dot.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc);
void multiply_integer_parts(const uint8_t* a, int64_t lda, const int8_t* packed, IntegerPanelRest rest, int64_t m,
                            int64_t k, int64_t n, int32_t* c, int64_t ldc);
void interleave_rows(const uint8_t* const* rows, int64_t groups, uint8_t flip, int8_t* to, int32_t* sums);

namespace {

using integer::dot, integer::dot_parts, integer::kLanes, integer::load, integer::splat, integer::store, integer::Sums,
    integer::zero;

// Of tiles: rows, and vectors of columns.
#if ONNXRUN_SIMD_LEVEL >= 4
constexpr int kRows = 6, kVectors = 4;
#else
constexpr int kRows = 4, kVectors = 2;
#endif

struct Rows {
  const uint8_t* a;
  int64_t lda;
  Sums at(int64_t row, int64_t group) const {
    int32_t word;
    std::memcpy(&word, a + row * lda + 4 * group, 4);
    return splat(word);
  }
};

template <int R, int V>
[[gnu::always_inline]] inline void store_sums(const Sums (&sums)[R][V], int32_t* c, int64_t ldc, int64_t columns) {
  if (columns >= V * kLanes) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) store(c + r * ldc + v * kLanes, sums[r][v]);
    return;
  }
  int32_t buffer[R][V * kLanes];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(&buffer[r][v * kLanes], sums[r][v]);
  for (int r = 0; r < R; ++r) std::memcpy(c + r * ldc, buffer[r], static_cast<size_t>(columns) * 4);
}

// R rows of A times V vectors of columns, in registers.
template <int R, int V>
void tile(const Rows& a, const int8_t* b, int64_t groups, int32_t* c, int64_t ldc, int64_t columns) {
  Sums sums[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sums[r][v] = zero();
  for (int64_t g = 0; g < groups; ++g, b += 4 * kPanel) {
    Sums row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[v] = load(b + v * 4 * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Sums x = a.at(r, g);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = dot(sums[r][v], x, row[v]);
    }
  }
  store_sums(sums, c, ldc, columns);
}

// Down to as few vectors as the columns need.
template <int R, int V>
void across(const Rows& a, const int8_t* b, int64_t groups, int32_t* c, int64_t ldc, int64_t columns) {
  int64_t j = 0;
  for (; j + (V - 1) * kLanes < columns; j += V * kLanes) tile<R, V>(a, b + 4 * j, groups, c + j, ldc, columns - j);
  if constexpr (V > 1)
    if (j < columns) across<R, V - 1>(a, b + 4 * j, groups, c + j, ldc, columns - j);
}

}  // namespace

void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc) {
  const int64_t groups = grouped_depth(k) / 4;
#if ONNXRUN_SIMD_LEVEL >= 5
  constexpr int64_t kFewRows = 8;  // which vectors multiply at the speed of memory, too
  if (m >= kFewRows) {
    const TileOperands operands{reinterpret_cast<const char*>(a),
                                lda,
                                reinterpret_cast<const char*>(packed),
                                groups,
                                false,
                                reinterpret_cast<char*>(c),
                                4 * ldc,
                                n};
    return TileProduct<AmxTiles<TileElements::kBytes>>(operands).run(m);
  }
#endif
  for (int64_t first = 0; first < n; first += kPanel, packed += groups * 4 * kPanel) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    for (; row + kRows <= m; row += kRows)
      across<kRows, kVectors>({a + row * lda, lda}, packed, groups, c + row * ldc + first, ldc, columns);
    for (; row + 2 <= m; row += 2)
      across<2, kVectors>({a + row * lda, lda}, packed, groups, c + row * ldc + first, ldc, columns);
    if (row < m) across<1, kVectors>({a + row * lda, lda}, packed, groups, c + row * ldc + first, ldc, columns);
  }
}

#if ONNXRUN_SIMD_LEVEL == 3 || (ONNXRUN_SIMD_LEVEL == 4 && !defined(__AVX512VNNI__))
namespace {

constexpr int kStripVectors = kStrip / kLanes;

// Of parts: R rows of A times V vectors of columns from the begin of a strip on. Meanwhile `ahead` comes near, so many lines as there are groups; it may lie
// beyond the end of all.
template <int R, int V>
void parts_tile(const Rows& a, const int8_t* b, const IntegerPanelRest& rest, uintptr_t ahead, int64_t groups,
                int32_t* c, int64_t ldc, int64_t columns) {
  constexpr uintptr_t kLine = 64;
  Sums sums[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sums[r][v] = zero();
  for (int64_t g = 0; g < groups; ++g, b += 4 * kPanel, ahead += kLine) {
    __builtin_prefetch(reinterpret_cast<const void*>(ahead), 0, 2);
    Sums row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[v] = load(b + v * 4 * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Sums x = a.at(r, g);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[r][v] = dot_parts(sums[r][v], x, row[v]);
    }
  }
  constexpr int kCount = V < kStripVectors ? V : kStripVectors;
#pragma GCC unroll 8
  for (int first = 0; first < V; first += kCount) {
    const int32_t* start = rest.starts + first / kCount;
    const char* group = rest.groups + *start * kRestGroupBytes;
    for (int32_t i = start[0]; i < start[1]; ++i, group += kRestGroupBytes) {
      int32_t g;
      std::memcpy(&g, group, sizeof g);
#pragma GCC unroll 8
      for (int v = 0; v < kCount; ++v) {
        const Sums row = load(group + sizeof g + v * 4 * kLanes);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sums[r][first + v] = dot_parts(sums[r][first + v], a.at(r, g), row);
      }
    }
  }
  store_sums(sums, c, ldc, columns);
}

// While the tiles of a panel's first rows are computed the next panel comes near.
template <int R, int V>
void parts_across(const Rows& a, const int8_t* b, IntegerPanelRest rest, int64_t groups, int32_t* c, int64_t ldc,
                  int64_t columns) {
  int64_t j = 0;
  for (; j + (V - 1) * kLanes < columns; j += V * kLanes, rest.starts += V / kStripVectors) {
    const uintptr_t ahead = reinterpret_cast<uintptr_t>(b) + static_cast<uintptr_t>((4 * kPanel + 4 * j) * groups);
    parts_tile<R, V>(a, b + 4 * j, rest, ahead, groups, c + j, ldc, columns - j);
  }
  if constexpr (V > 1)
    if (j < columns) {
      constexpr int kFewer = V > kStripVectors ? V - kStripVectors : V - 1;
      parts_across<R, kFewer>(a, b + 4 * j, rest, groups, c + j, ldc, columns - j);
    }
}

}  // namespace

void multiply_integer_parts(const uint8_t* a, int64_t lda, const int8_t* packed, IntegerPanelRest rest, int64_t m,
                            int64_t k, int64_t n, int32_t* c, int64_t ldc) {
  constexpr int kMany = 6, kWide = kPanel / kLanes;
  const int64_t groups = grouped_depth(k) / 4;
  for (int64_t first = 0; first < n; first += kPanel, packed += groups * 4 * kPanel, rest.starts += kPanel / kStrip) {
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    int64_t row = 0;
    const auto rows = [&]<int R, int V>() {
      parts_across<R, V>({a + row * lda, lda}, packed, rest, groups, c + row * ldc + first, ldc, columns);
      row += R;
    };
    while (row + kMany <= m) rows.template operator()<kMany, kVectors>();
    switch (m - row) {
      case 5: rows.template operator()<5, kVectors>(); break;
      case 4: rows.template operator()<4, kVectors>(); break;
      case 3: rows.template operator()<3, kVectors>(); break;
      case 2: rows.template operator()<2, kVectors>(); break;
      case 1: rows.template operator()<1, kWide>(); break;
      default: break;
    }
  }
}
#endif

void interleave_rows(const uint8_t* const* rows, int64_t groups, uint8_t flip, int8_t* to, int32_t* sums) {
  constexpr int kVectorsOfSums = kPanel / kLanes;
  Sums totals[kVectorsOfSums];
#pragma GCC unroll 16
  for (int v = 0; v < kVectorsOfSums; ++v) totals[v] = load(sums + v * kLanes);
  const Sums ones = splat(0x01010101);
#if ONNXRUN_SIMD_LEVEL >= 2
  const __m128i bits = _mm_set1_epi8(static_cast<char>(flip));
#endif
  for (int64_t g = 0; g < groups; ++g, rows += 4, to += 4 * kPanel) {
    for (int64_t j = 0; j < kPanel; j += 16) {
#if ONNXRUN_SIMD_LEVEL >= 2
      const auto row = [&](int r) {
        return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + j)), bits);
      };
      const __m128i a = row(0), b = row(1), c = row(2), d = row(3);
      const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
      const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
      __m128i* out = reinterpret_cast<__m128i*>(to + 4 * j);
      _mm_storeu_si128(out, _mm_unpacklo_epi16(ab_low, cd_low));
      _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(ab_low, cd_low));
      _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(ab_high, cd_high));
      _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(ab_high, cd_high));
#else
      for (int64_t i = j; i < j + 16; ++i)
        for (int r = 0; r < 4; ++r) to[4 * i + r] = static_cast<int8_t>(rows[r][i] ^ flip);
#endif
    }
  }
  to -= groups * 4 * kPanel;
  for (int64_t g = 0; g < groups; ++g, to += 4 * kPanel)
#pragma GCC unroll 16
    for (int v = 0; v < kVectorsOfSums; ++v) totals[v] = dot(totals[v], ones, load(to + 4 * v * kLanes));
#pragma GCC unroll 16
  for (int v = 0; v < kVectorsOfSums; ++v) store(sums + v * kLanes, totals[v]);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
