// Convolutions of 3x3 taps of float32 on blocked channels by Winograd's transforms: strips of tiles go through all channels,
// then through the filters two blocks at a time.
#pragma once

#include <string>

#include "cpu/cpu.h"
#include "cpu/loops/tiled_convolution.h"
#include "cpu/loops/winograd.h"

namespace onnxrun::cpu {

// Weights [M, C, 3, 3] of float32, as numbers [number, filter block, channel block, channel, filter].
class WinogradWeights {
 public:
  // Why these are not worth the transforms, or not for them; empty when they are.
  static std::string refuse(const onnxrun_tensor& weights);
  explicit WinogradWeights(const onnxrun_tensor& weights);
  // Whether the numbers stay far from float32's largest.
  bool takes(const onnxrun_tensor& weights) const;

  size_t bytes() const;
  void pack(const float* from, float* to) const;

 private:
  int64_t filters_, channels_, block_;
};

// Strides and dilations are 1. Of K channels an error is at most some (K + 8) 2^-22 of the sum of the magnitudes of what the positions of the result's tile take of the
// weights: as for sums in float32, but that positions beside the result's own count, too.
class WinogradConvolution {
 public:
  WinogradConvolution(const WindowGeometry& geometry, int threads);
  void clamp(float low, float high);
  size_t scratch_bytes() const;
  // Runs f(float* begin, int64_t count, int64_t filters) on each piece of the output once it is done.
  template <class F>
  void run(RunContext& context, const TiledArrays<float>& arrays, F&& f) const {
    const int64_t items = images_ * strips_, slots = std::min<int64_t>(slots_, context.threads());
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        float* memory = static_cast<float*>(context.scratch()) + slot * slot_floats();
        for (int64_t item = items * slot / slots; item < items * (slot + 1) / slots && !context.cancelled(); ++item) {
          const Strip strip = this->strip(item);
          spread(arrays, strip, memory);
          for (int64_t block = 0; block < out_blocks_ && !context.cancelled(); block += 2) {
            multiply(arrays, strip, block, memory);
            for (int64_t b = block; b < std::min(block + 2, out_blocks_); ++b) {
              const Winograd::End end = gather(arrays, strip, b, memory);
              each_piece(strip, [&](int64_t at, int64_t count) { f(end.y + at, count, end.lanes); });
            }
          }
        }
      }
    });
    context.check_cancelled();
  }

 private:
  // Neighbouring tiles of an image, and how many of them are multiplied: some more, so that registers are full.
  struct Strip {
    int64_t image, first, count, width;
  };
  static int64_t padded(int64_t tiles) { return std::max<int64_t>(4, tiles + tiles % 2); }
  Strip strip(int64_t item) const {
    const int64_t first = item % strips_ * width_;
    const int64_t count = std::min(width_, image_.tiles() - first);
    return {item / strips_, first, count, padded(count)};
  }
  // f(offset in a block's plane, elements) for the rows of results of a strip.
  template <class F>
  void each_piece(const Strip& strip, F&& f) const {
    const int64_t columns = image_.columns(), end = strip.first + strip.count;
    for (int64_t t = strip.first; t < end;) {
      const int64_t row = t / columns, column = t % columns, next = std::min(end, (row + 1) * columns);
      const int64_t left = column * Winograd::kStep,
                    right = std::min(image_.out_width, (column + next - t) * Winograd::kStep);
      for (int64_t y = row * Winograd::kStep; y < std::min(image_.out_height, (row + 1) * Winograd::kStep); ++y)
        f((y * image_.out_width + left) * functions_.block, (right - left) * functions_.block);
      t = next;
    }
  }
  void spread(const TiledArrays<float>& arrays, const Strip& strip, float* memory) const;
  void multiply(const TiledArrays<float>& arrays, const Strip& strip, int64_t block, float* memory) const;
  Winograd::End gather(const TiledArrays<float>& arrays, const Strip& strip, int64_t block, float* memory) const;
  const float* image(const TiledArrays<float>& arrays, const Strip& strip) const {
    return arrays.x + strip.image * in_blocks_ * image_.in_height * image_.in_width * functions_.block;
  }

  // Numbers of neighbours begin a cache line further each, so that they do not meet in few places of a cache.
  static constexpr int64_t kLine = 16;
  int64_t spread_stride() const { return in_blocks_ * width_ * functions_.block + kLine; }
  int64_t sums_stride() const { return 2 * width_ * functions_.block + kLine; }
  int64_t slot_floats() const { return Winograd::kNumbers * (spread_stride() + sums_stride()); }

  const WinogradFunctions& functions_ = winograd_functions();
  Winograd::Image image_;
  int64_t images_, in_blocks_, filters_, out_blocks_;
  int64_t width_ = 1, strips_ = 0;  // tiles of a strip, and strips of an image
  int64_t slots_;
  Winograd::End end_;
};

}  // namespace onnxrun::cpu
