// Convolutions of pairs of bfloat16 on blocked channels on the processor's tiles.
#include "amx_tiles.h"

#if ONNXRUN_SIMD_LEVEL >= 5

#include "cpu/loops/tile_convolution.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions();

namespace {

constexpr int64_t kBlock = kWidth, kPosition = 2 * kBlock;
static_assert(kPosition * sizeof(base::Bfloat16) == kTileBytes);

bool takes_width(int64_t width) { return width >= 1 && width <= kTileRows; }

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
  TileConvolution<AmxTiles<TileElements::kBfloat16>>(c, operands)
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

}  // namespace

const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions() {
  static constexpr BlockConvolutionFunctions<Bfloat16Pair> kFunctions{.block = kBlock,
                                                                      .position = kPosition,
                                                                      .takes_width = takes_width,
                                                                      .most_columns = kTileRows,
                                                                      .run = run,
                                                                      .round = round};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
