// Convolutions of plain 8-bit images of few channels (plain_windows.h) on tiles.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/cpu.h"
#include "cpu/loops/plain_windows.h"
#include "cpu/loops/tile_product.h"
#include "cpu/loops/tiled_integer_convolution.h"

namespace onnxrun::cpu {

// Filters [filter block, kernel height, tap, column, filter, channel] of int8, then where their sums start, and their scales.
class PlainIntegerFilters {
 public:
  static constexpr int64_t kBlock = 16;                                                   // filters
  static constexpr int64_t kChannels = IntegerBlockConvolutionFunctions::kPlainPosition;  // of a column
  static constexpr int64_t kColumns = kTileBytes / kChannels;                             // that a tap has

  // Weights [M, C, kernel...] of uint8, whose zero point is 128, or int8.
  explicit PlainIntegerFilters(const onnxrun_tensor& weights);

  int64_t filters() const { return filters_; }
  int64_t height() const { return height_; }
  int64_t taps() const { return (width_ + kColumns - 1) / kColumns; }  // of a row of the kernel
  int64_t blocks() const { return (filters_ + kBlock - 1) / kBlock; }
  int64_t block_bytes() const { return height_ * taps() * kTileRows * kTileBytes; }
  size_t bytes() const { return static_cast<size_t>(blocks() * (block_bytes() + 2 * kBlock * 4)); }

  // `bias` may be null; scale(filter) is that of the filter's sums.
  template <class Scale>
  void pack(const onnxrun_tensor& weights, int32_t x_zero, const int32_t* bias, Scale&& scale, void* packed) const {
    pack_weights(weights, x_zero, bias, packed);
    float* scales = const_cast<float*>(this->scales(packed));
    for (int64_t m = 0; m < blocks() * kBlock; ++m) scales[m] = m < filters_ ? scale(m) : 0.0f;
  }
  const char* block(const void* packed, int64_t index) const {
    return static_cast<const char*>(packed) + index * block_bytes();
  }
  const int32_t* offsets(const void* packed) const { return reinterpret_cast<const int32_t*>(block(packed, blocks())); }
  const float* scales(const void* packed) const {
    return reinterpret_cast<const float*>(offsets(packed) + blocks() * kBlock);
  }

 private:
  void pack_weights(const onnxrun_tensor& weights, int32_t x_zero, const int32_t* bias, void* packed) const;

  int64_t filters_, channels_, height_, width_;
};

class PlainIntegerConvolution {
 public:
  // One group of at most PlainIntegerFilters::kChannels channels, without dilation along the width.
  PlainIntegerConvolution(const WindowGeometry& geometry, const PlainIntegerFilters& filters,
                          const IntegerResult& result, int threads);
  size_t scratch_bytes() const;
  size_t table_bytes() const { return windows_.tiles().capacity() * sizeof(BlockTile); }

  // Whether tiles are faster than vectors for kernels so wide.
  static bool pays(int64_t filters, int64_t width) { return filters >= PlainIntegerFilters::kBlock && width >= 5; }
  // Whether images of this geometry are taken, not those that are padding for the most part.
  bool fit() const { return windows_.fit() || shared_.shape.out_plane == 0; }

  // Runs f(begin, count) on each piece of y once it is done. `added` is null or as y.
  template <class F>
  void run(RunContext& context, const uint8_t* x, const void* packed, const uint8_t* added, uint8_t* y, F&& f) const {
    IntegerBlockConvolution shared = shared_;
    shared.shape.tiles = windows_.tiles().data();
    const int64_t image_bytes = filters_.blocks() * shared.shape.out_plane;
    for (int64_t i = 0; i < images_ && image_bytes > 0; ++i, y += image_bytes) {
      interleave(context, x + i * channels_ * shared.shape.in_height * windows_.in_width());
      const uint8_t* beside = added == nullptr ? nullptr : added + i * image_bytes;
      context.parallel(windows_.spots(), 1, [&](int64_t begin, int64_t end) {
        for (int64_t spot = begin; spot < end; ++spot)
          for (int64_t pair = 0; pair < (filters_.blocks() + 1) / 2; ++pair) {
            if (context.cancelled()) return;
            const IntegerBlockConvolutionPart part = place(context, packed, beside, y, spot, pair);
            functions_.run(shared, part);
            const int64_t row = shared.shape.out_width * PlainIntegerFilters::kBlock;
            for (int64_t at = 0; at < part.filters; at += PlainIntegerFilters::kBlock)
              f(part.y + at / PlainIntegerFilters::kBlock * shared.shape.out_plane + part.row_begin * row,
                (part.row_end - part.row_begin) * row);
          }
      });
      context.check_cancelled();
    }
  }

 private:
  void interleave(RunContext& context, const uint8_t* image) const;
  IntegerBlockConvolutionPart place(RunContext& context, const void* packed, const uint8_t* added, uint8_t* y,
                                    int64_t spot, int64_t pair) const;

  const IntegerBlockConvolutionFunctions& functions_;
  PlainIntegerFilters filters_;
  int64_t images_, channels_;
  PlainWindows windows_;
  IntegerBlockConvolution shared_;
};

}  // namespace onnxrun::cpu
