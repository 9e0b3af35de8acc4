// Convolutions on blocked channels of pairs of bfloat16, and of float32 in such parts, on the processor's tiles.
#include "amx_tiles.h"
#include "split_floats.h"

#if ONNXRUN_SIMD_LEVEL >= 5

#include "cpu/loops/convolution_parts.h"
#include "cpu/loops/tile_convolution.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions();
PartExtents split_positions(const PositionRows& rows, int parts);
void split_filters(const FilterBlocks& filters, int parts, char* to);
void convolve_parts(const BlockConvolution& convolution, const BlockConvolutionPart<Bfloat16Pair>& part, int parts);

namespace {

constexpr int64_t kBlock = kWidth, kPosition = 2 * kBlock;
static_assert(kPosition * sizeof(base::Bfloat16) == kTileBytes && kPosition == kPartPosition && kBlock == kPartBlock);

bool takes_width(int64_t width) { return width >= 1 && width <= kTileRows; }

template <int kParts>
void run(const BlockConvolution& c, const BlockConvolutionPart<Bfloat16Pair>& part) {
  float bias[2 * kBlock] = {};
  if (part.bias != nullptr) std::memcpy(bias, part.bias, static_cast<size_t>(part.filters) * sizeof(float));
  const TileConvolutionOperands operands{.x = reinterpret_cast<const char*>(part.x),
                                         .weights = reinterpret_cast<const char*>(part.weights),
                                         .starts = reinterpret_cast<const char*>(bias),
                                         .filter_blocks = (part.filters + kBlock - 1) / kBlock,
                                         .outside = 0,
                                         .skips_outside = true};
  const Vector low = splat(c.low), high = splat(c.high);
  TileConvolution<AmxTiles<TileElements::kBfloat16>, kParts>(c, operands)
      .run(part.row_begin, part.row_end, part.tile_begin, part.tile_end,
           [&](int64_t filter, int64_t row, int64_t first, int64_t width, const char* sums) {
             const int64_t at = filter * c.out_plane + (row * c.out_width + first) * kBlock;
             const int64_t lanes = std::min(kBlock, part.filters - filter * kBlock);
             for (int64_t r = 0; r < width; ++r) {
               Vector sum = load(reinterpret_cast<const float*>(sums + r * kTileBytes));
               if (part.added != nullptr) sum += load(part.added + at + r * kBlock);
               if (c.clamps) {
                 sum = sum < low ? low : sum;
                 sum = sum > high ? high : sum;
               }
               float* y = part.y + at + r * kBlock;
               store(y, sum);
               if (lanes < kBlock) std::memset(y + lanes, 0, static_cast<size_t>(kBlock - lanes) * sizeof(float));
             }
           });
}

// Not a number stays that; denormal numbers become zeros, which they are to the products as well.
void round(const float* const* blocks, Bfloat16Pair* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i, to += kBlock) {
    const __m512 first = blocks[0] == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(blocks[0] + i * kBlock),
                 second = blocks[1] == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(blocks[1] + i * kBlock);
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(second, first));
  }
}

template <int kParts>
PartExtents split_positions_in(const PositionRows& p) {
  Extents extents;
  for (int64_t row = 0; row < p.rows; ++row) {
    char* to = p.to + row * p.to_row;
    for (int64_t i = 0, at = row * p.from_row; i < p.count; ++i, at += p.from_step, to += kTileBytes) {
      const __m512 first = _mm512_loadu_ps(p.blocks[0] + at),
                   second = p.blocks[1] == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(p.blocks[1] + at);
      extents.take(first);
      extents.take(second);
      write_parts<kParts>(first, second, to, p.part, in_a_row);
    }
  }
  return extents.result();
}

template <int kParts>
void split_filters_in(const FilterBlocks& f, char* to) {
  constexpr int64_t kPart = kTileRows * kTileBytes, kTap = kBlock * kBlock;
  const int64_t taps = f.kernel_height * f.kernel_width;
  const int64_t inner = f.columns_first ? f.kernel_height : f.kernel_width;
  const int64_t outer_step = f.columns_first ? 1 : inner, inner_step = f.columns_first ? f.kernel_width : 1;
  for (int64_t filter = 0; filter < f.filter_blocks; ++filter)
    for (int64_t block = 0; block < f.in_blocks; block += 2)
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t tap = t / inner * outer_step + t % inner * inner_step;
        for (int64_t half = 0; half < 2; ++half) {
          char* part = to + half * kPart / 2;
          const float* from = f.packed + ((filter * f.in_blocks + block + half) * taps + tap) * kTap;
          for (int64_t word = 0; word < kBlock / 2; ++word, part += kTileBytes, from += 2 * kBlock)
            if (block + half < f.in_blocks)
              write_parts<kParts>(_mm512_loadu_ps(from), _mm512_loadu_ps(from + kBlock), part, kPart, paired);
            else write_parts<kParts>(_mm512_setzero_ps(), _mm512_setzero_ps(), part, kPart, paired);
        }
        to += kParts * kPart;
      }
}

}  // namespace

PartExtents split_positions(const PositionRows& rows, int parts) {
  return parts == 3 ? split_positions_in<3>(rows) : split_positions_in<2>(rows);
}

void split_filters(const FilterBlocks& filters, int parts, char* to) {
  if (parts == 3) split_filters_in<3>(filters, to);
  else split_filters_in<2>(filters, to);
}

void convolve_parts(const BlockConvolution& convolution, const BlockConvolutionPart<Bfloat16Pair>& part, int parts) {
  if (parts == 3) run<3>(convolution, part);
  else run<2>(convolution, part);
}

const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions() {
  static constexpr BlockConvolutionFunctions<Bfloat16Pair> kFunctions{.block = kBlock,
                                                                      .position = kPosition,
                                                                      .takes_width = takes_width,
                                                                      .most_columns = kTileRows,
                                                                      .run = run<1>,
                                                                      .round = round};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
