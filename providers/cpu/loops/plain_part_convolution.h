// Convolutions of plain images of few channels (plain_windows.h) by products of bfloat16 parts (parts.h) on tiles.
#pragma once

#include <cstdint>

#include "cpu/cpu.h"
#include "cpu/loops/convolution_parts.h"
#include "cpu/loops/plain_windows.h"
#include "cpu/loops/tiled_convolution.h"

namespace onnxrun::cpu {

// Filters [filter block, kernel height, position of columns, part] of tiles.
struct PlainFilters {
  int64_t filters, channels, height, width;
  int parts;

  // Columns of kPlainPairChannels channels that one tap has, and taps of a row of the kernel.
  static constexpr int64_t kColumns = kPartPosition / kPlainPairChannels;
  int64_t taps_across() const { return (width + kColumns - 1) / kColumns; }
  int64_t blocks() const { return (filters + kPartBlock - 1) / kPartBlock; }
  int64_t block_bytes() const { return height * taps_across() * parts * PartOperands::kTile; }
  int64_t bytes() const { return blocks() * block_bytes(); }
  // Of weights [filters, channels, height, width].
  void pack(const float* weights, char* to) const;
};

class PlainPartConvolution {
 public:
  // `parts`: 1, numbers rounded to bfloat16, 2 or 3. One group of at most kPlainPairChannels channels, without dilation along the width. Results do not depend on `threads`.
  PlainPartConvolution(const WindowGeometry& geometry, int parts, int threads);
  void clamp(float low, float high);
  size_t scratch_bytes() const;
  size_t table_bytes() const { return windows_.tiles().capacity() * sizeof(BlockTile) + floats_.table_bytes(); }

  // Whether tiles are faster than vectors for kernels so wide.
  static bool pays(int64_t channels, int64_t filters, int64_t width, int parts);

  // As TiledConvolution<float>, which computes those images whose parts would not do; `filters` are in parts, `weights` their extents.
  template <class F>
  void run(RunContext& context, const TiledArrays<float>& arrays, const char* filters, const PartExtents& weights,
           F&& f) const {
    BlockConvolution shape = shape_;
    shape.tiles = windows_.tiles().data();
    for (int64_t i = 0; i < images_ && shape_.out_plane > 0; ++i) {
      const TiledArrays<float> image = of_image(arrays, i);
      if (!windows_.fit() || !split(context, image, weights)) {
        floats_.run(context, image, f);
        continue;
      }
      context.parallel(windows_.spots(), 1, [&](int64_t begin, int64_t end) {
        for (int64_t spot = begin; spot < end; ++spot)
          for (int64_t pair = 0; pair < (filters_.blocks() + 1) / 2; ++pair) {
            if (context.cancelled()) return;
            const BlockConvolutionPart<Bfloat16Pair> part = place(context, image, filters, spot, pair);
            convolve_parts(shape,
                           {.part = part,
                            .first = true,
                            .last = true,
                            .filter_bytes = 0,
                            .copies = 1,
                            .column_bytes = kColumnBytes},
                           filters_.parts, {});
            const int64_t count = (part.row_end - part.row_begin) * shape_.out_width * kPartBlock;
            for (int64_t at = 0; at < part.filters; at += kPartBlock)
              f(part.y + at / kPartBlock * shape_.out_plane + part.row_begin * shape_.out_width * kPartBlock, count,
                std::min(kPartBlock, part.filters - at));
          }
      });
      context.check_cancelled();
    }
  }

 private:
  static constexpr int64_t kColumnBytes = kPlainPairChannels * static_cast<int64_t>(sizeof(base::Bfloat16));

  int64_t plane_bytes() const { return base::checked_mul(windows_.columns(), kColumnBytes); }
  // Brings an image into parts; whether these do for it.
  bool split(RunContext& context, const TiledArrays<float>& image, const PartExtents& weights) const;
  BlockConvolutionPart<Bfloat16Pair> place(RunContext& context, const TiledArrays<float>& image, const char* filters,
                                           int64_t spot, int64_t pair) const;
  TiledArrays<float> of_image(const TiledArrays<float>& arrays, int64_t image) const;

  int64_t images_;
  PlainFilters filters_{};
  PlainWindows windows_;
  BlockConvolution shape_;          // of those, with what follows the sums
  TiledConvolution<float> floats_;  // of one image
};

}  // namespace onnxrun::cpu
