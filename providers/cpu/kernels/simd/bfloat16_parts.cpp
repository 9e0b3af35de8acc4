// Products of float32 as those of their parts on the processor's tiles.
#include "amx_tiles.h"
#include "split_floats.h"

#if ONNXRUN_SIMD_LEVEL >= 5

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
PartExtents split_rows(const float* a, int64_t lda, int64_t rows, int64_t depth, int parts, char* to);
PartExtents split_panel(const float* packed, int64_t depth, int64_t columns, int parts, char* to);
void join_panel(const char* parts, int64_t depth, float* packed);
void multiply_parts(const PartOperands& operands, int parts);
PartExtents extents_of(const float* numbers, int64_t stride, int64_t rows, int64_t columns);

namespace {

constexpr int64_t kHalfStep = PartOperands::kStep / 2, kTile = PartOperands::kTile;

// The first `count` elements, none of them if that is negative; zeros behind them.
__m512 load_first(const float* from, int64_t count) {
  const auto lanes = static_cast<__mmask16>(count >= kWidth ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
  return _mm512_maskz_loadu_ps(lanes, from);
}

template <int kParts>
PartExtents split_rows_in(const float* a, int64_t lda, int64_t rows, int64_t depth, char* to) {
  const int64_t first_tile = PartOperands::first_tile(rows, kParts);
  Extents extents;
  for (int64_t k = 0; k < depth; k += PartOperands::kStep, to += PartOperands::a_step(kParts))
    for (int64_t r = 0; r < rows; ++r) {
      const float* from = a + r * lda + k;
      const bool whole = depth - k >= PartOperands::kStep;
      const __m512 first = whole ? _mm512_loadu_ps(from) : load_first(from, depth - k),
                   second =
                       whole ? _mm512_loadu_ps(from + kHalfStep) : load_first(from + kHalfStep, depth - k - kHalfStep);
      const int64_t place = r < first_tile ? r * kTileBytes : kTile + (r - first_tile) * kTileBytes;
      if constexpr (kParts == 1) {
        _mm512_storeu_si512(to + place, (__m512i)_mm512_cvtne2ps_pbh(second, first));
      } else {
        extents.take(first);
        extents.take(second);
        write_parts<kParts>(first, second, to + place, 2 * kTile, in_a_row);
      }
    }
  return extents.result();
}

template <int kParts>
PartExtents split_panel_in(const float* packed, int64_t depth, int64_t columns, char* to) {
  Extents extents;
  for (int64_t k = 0; k < depth; k += PartOperands::kStep, to += PartOperands::b_step(kParts))
    for (int64_t row = k; row < k + PartOperands::kStep; row += 2)
      for (int64_t tile = 0; tile * kWidth < columns; ++tile) {
        const float* from = packed + row * kPanel + tile * kWidth;
        const __m512 first = row < depth ? _mm512_loadu_ps(from) : _mm512_setzero_ps(),
                     second = row + 1 < depth ? _mm512_loadu_ps(from + kPanel) : _mm512_setzero_ps();
        extents.take(first);
        extents.take(second);
        write_parts<kParts>(first, second, to + tile * kParts * kTile + (row - k) / 2 * kTileBytes, kTile, paired);
      }
  return extents.result();
}

}  // namespace

PartExtents split_rows(const float* a, int64_t lda, int64_t rows, int64_t depth, int parts, char* to) {
  switch (parts) {
    case 1: return split_rows_in<1>(a, lda, rows, depth, to);
    case 2: return split_rows_in<2>(a, lda, rows, depth, to);
    default: return split_rows_in<3>(a, lda, rows, depth, to);
  }
}

PartExtents split_panel(const float* packed, int64_t depth, int64_t columns, int parts, char* to) {
  return parts == 3 ? split_panel_in<3>(packed, depth, columns, to) : split_panel_in<2>(packed, depth, columns, to);
}

void join_panel(const char* parts, int64_t depth, float* packed) {
  for (int64_t k = 0; k < depth; k += 2) {
    const char* row =
        parts + k / PartOperands::kStep * PartOperands::b_step(2) + k % PartOperands::kStep / 2 * kTileBytes;
    for (float* to = packed + k * kPanel; to < packed + (k + 1) * kPanel; to += kWidth, row += 2 * kTile) {
      const Joined joined = join(row, row + kTile);
      _mm512_storeu_ps(to, joined.first);
      if (k + 1 < depth) _mm512_storeu_ps(to + kPanel, joined.second);
    }
  }
}

PartExtents extents_of(const float* numbers, int64_t stride, int64_t rows, int64_t columns) {
  Extents extents;
  for (int64_t r = 0; r < rows; ++r, numbers += stride) {
    int64_t i = 0;
    for (; i + kWidth <= columns; i += kWidth) extents.take(_mm512_loadu_ps(numbers + i));
    if (i < columns) extents.take(load_first(numbers + i, columns - i));
  }
  return extents.result();
}

void multiply_parts(const PartOperands& operands, int parts) {
  using Processor = AmxTiles<TileElements::kBfloat16>;
  switch (parts) {
    case 1: return PartTiles<Processor, 1>::multiply(operands);
    case 2: return PartTiles<Processor, 2>::multiply(operands);
    default: return PartTiles<Processor, 3>::multiply(operands);
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
