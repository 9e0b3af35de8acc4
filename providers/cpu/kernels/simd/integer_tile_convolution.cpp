// Convolutions of 8-bit values on blocked channels on the processor's tiles.
#include "amx_tiles.h"

#if ONNXRUN_SIMD_LEVEL >= 5

#include "cpu/loops/integer_block_convolution.h"
#include "cpu/loops/tile_convolution.h"
#include "integer_bytes.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const IntegerBlockConvolutionFunctions& integer_tile_convolution_functions();

namespace {

using integer::Floats, integer::Sums;

constexpr int64_t kBlock = integer::kLanes, kBlocks = kTileBytes / kBlock;

bool takes_width(int64_t width) { return width >= 1 && width <= kTileRows; }

// The bytes of positions of a filter block, of their sums.
class Finish {
 public:
  Finish(const IntegerBlockConvolution& convolution, const IntegerBlockConvolutionPart& part)
      : s_(convolution), part_(part) {}

  void operator()(int64_t filter, int64_t row, int64_t first, int64_t width, const char* sums) const {
    const int64_t at = filter * s_.shape.out_plane + (row * s_.shape.out_width + first) * kBlock;
    const Floats scale = integer::load_floats(part_.scales + filter * kBlock);
    if (part_.added == nullptr) return store(at, width, sums, scale);
    store_added(at, width, sums, scale);
  }

 private:
  void store(int64_t at, int64_t width, const char* sums, Floats scale) const {
    const Floats high = integer::splat_float(s_.high);
    each_position(at, width, s_.zero, [&](int64_t r) {
      const Floats value = integer::times(integer::to_floats(integer::load(sums + r * kTileBytes)), scale);
      return integer::to_whole(integer::smaller(value, high));
    });
  }
  void store_added(int64_t at, int64_t width, const char* sums, Floats scale) const {
    const Floats low = integer::splat_float(s_.low), high = integer::splat_float(s_.high),
                 most = integer::splat_float(s_.sum_high), own = integer::splat_float(s_.scale_of_sum),
                 other = integer::splat_float(s_.scale_of_added);
    const Sums zero_of_added = integer::splat(-s_.zero_of_added);
    each_position(at, width, s_.zero_of_sum, [&](int64_t r) {
      const Floats scaled = integer::times(integer::to_floats(integer::load(sums + r * kTileBytes)), scale);
      const Floats value = integer::round(integer::smaller(integer::larger(scaled, low), high));
      const Sums added = integer::add(integer::load_bytes(part_.added + at + r * kBlock), zero_of_added);
      const Floats total = integer::plus(integer::times(value, own), integer::times(integer::to_floats(added), other));
      return integer::to_whole(integer::smaller(total, most));
    });
  }

  // Stores value(position) plus `zero` as bytes.
  template <class Value>
  void each_position(int64_t at, int64_t width, int32_t zero, Value&& value) const {
    uint8_t* y = part_.y + at;
    const Sums zeros = integer::splat_pair(static_cast<int16_t>(zero)), whole_zeros = integer::splat(zero);
    int64_t r = 0;
    for (; r + 4 <= width; r += 4)
      integer::store_four(y + r * kBlock, value(r), value(r + 1), value(r + 2), value(r + 3), zeros);
    for (; r < width; ++r) integer::store_bytes(y + r * kBlock, value(r), whole_zeros);
  }

  const IntegerBlockConvolution& s_;
  const IntegerBlockConvolutionPart& part_;
};

void run(const IntegerBlockConvolution& convolution, const IntegerBlockConvolutionPart& part) {
  const BlockConvolution& c = convolution.shape;
  // The sums start as if every tap saw the image: what is outside has the value that stands for zero.
  const TileConvolutionOperands operands{.x = reinterpret_cast<const char*>(part.x),
                                         .weights = static_cast<const char*>(part.weights),
                                         .starts = reinterpret_cast<const char*>(part.offsets),
                                         .filter_blocks = (part.filters + kBlock - 1) / kBlock,
                                         .column_bytes = convolution.column_bytes,
                                         .outside = convolution.outside,
                                         .skips_outside = false};
  TileConvolution<AmxTiles<TileElements::kBytes>>(c, operands)
      .run(part.row_begin, part.row_end, part.tile_begin, part.tile_end, Finish(convolution, part));
}

void join(const uint8_t* const* blocks, uint8_t* y, int64_t count) {
  const auto block = [&](int64_t b, int64_t i) {
    return blocks[b] == nullptr ? _mm_setzero_si128()
                                : _mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks[b] + i * kBlock));
  };
  for (int64_t i = 0; i < count; ++i)
    for (int64_t b = 0; b < kBlocks; ++b)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i * kTileBytes + b * kBlock), block(b, i));
}

}  // namespace

const IntegerBlockConvolutionFunctions& integer_tile_convolution_functions() {
  static constexpr IntegerBlockConvolutionFunctions kFunctions{.block = kBlock,
                                                               .position = kTileBytes,
                                                               .takes_width = takes_width,
                                                               .most_columns = kTileRows,
                                                               .run = run,
                                                               .join = join};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
