// Convolutions of float32 on blocked channels as sums of products of bfloat16 parts (parts.h), where tiles make that faster.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/convolution_parts.h"
#include "cpu/loops/tiled_convolution.h"

namespace onnxrun::cpu {

class PartConvolution {
 public:
  // Neither plain nor depthwise; groups fill whole positions. `parts`: 2 or 3. Results do not depend on `threads`.
  PartConvolution(const WindowGeometry& geometry, int64_t groups, int parts, int threads);
  void clamp(float low, float high);
  size_t scratch_bytes() const;
  size_t table_bytes() const { return tiles_.capacity() * sizeof(BlockTile) + floats_.table_bytes(); }

  // Bytes of the parts of filters that are computed together, which have so many channels and taps.
  static int64_t pair_bytes(int64_t channels, int64_t taps, int parts);
  static PartExtents extents(const float* numbers, int64_t count);

  // As TiledConvolution<float>, which computes those images whose parts, with weights of these extents, would not do.
  template <class F>
  void run(RunContext& context, const TiledArrays<float>& arrays, const PartExtents& weights, F&& f) const {
    if (spots_ == 0) return;
    for (int64_t first = 0; first < images_; first += chunk_images_) {
      const Chunk chunk = split(context, arrays, weights, first);
      const int64_t slots = std::min<int64_t>(slots_, context.threads()), tasks = sets_ * chunk.images * spots_;
      context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
        for (int64_t slot = begin; slot < end; ++slot)
          compute(context, arrays, chunk, slot, tasks * slot / slots, tasks * (slot + 1) / slots, f);
      });
      context.check_cancelled();
      for (int64_t image = 0; image < chunk.images; ++image)
        if (!chunk.safe[image]) floats_.run(context, of_image(arrays, first + image), f);
    }
  }

 private:
  // How the positions of a plane in parts come from those of an image: as they are, with columns of what lies outside beside them; or for each column of the kernel, or each
  // tap, those that it sees, in the order of the results, which are then one long row.
  enum class Order { kImage, kColumns, kTaps };
  // Images that are in parts at once.
  struct Chunk {
    int64_t first, images;
    char *x, *filters;  // filters of each slot
    bool* safe;         // of each image
  };
  // Some tiles of some rows of the results of one image for a set of pairs of blocks of filters.
  struct Task {
    int64_t set, image, row_begin, row_end, tile_begin, tile_end;
  };

  void choose_order(const WindowGeometry& geometry);
  void plan_tiles();
  void plan_tasks();
  Chunk split(RunContext& context, const TiledArrays<float>& arrays, const PartExtents& weights, int64_t first) const;
  PartExtents split_rows_of(const float* image, int64_t block, int64_t copy, int64_t begin, int64_t end, char* to) const;
  void split_set(const float* packed, int64_t set, char* to) const;
  Task task(const Chunk& chunk, int64_t index) const;
  BlockConvolutionPart<Bfloat16Pair> place(const TiledArrays<float>& arrays, const Chunk& chunk, const Task& task,
                                           int64_t pair, const char* filters) const;
  TiledArrays<float> of_image(const TiledArrays<float>& arrays, int64_t image) const;

  template <class F>
  void compute(RunContext& context, const TiledArrays<float>& arrays, const Chunk& chunk, int64_t slot, int64_t begin,
               int64_t end, F& f) const {
    char* filters = chunk.filters + slot * set_ * pair_bytes_;
    BlockConvolution shape = shape_;
    shape.tiles = tiles_.data();
    int64_t held = -1;  // whose parts are in `filters`
    for (int64_t index = begin; index < end && !context.cancelled(); ++index) {
      const Task task = this->task(chunk, index);
      if (!chunk.safe[task.image]) continue;
      if (task.set != held) split_set(arrays.weights, held = task.set, filters);
      const int64_t first = task.set * set_;
      for (int64_t pair = first; pair < std::min(pairs_, first + set_); ++pair) {
        const auto call = place(arrays, chunk, task, pair, filters + (pair - first) * pair_bytes_);
        convolve_parts(shape, call, parts_);
        end_part(call, f);
      }
    }
  }
  // Runs f on the pieces of a part that lie together in memory.
  template <class F>
  void end_part(const BlockConvolutionPart<Bfloat16Pair>& part, F& f) const {
    const int64_t begin = tiles_[static_cast<size_t>(part.tile_begin)].first;
    const BlockTile& last = tiles_[static_cast<size_t>(part.tile_end - 1)];
    const int64_t columns = last.first + last.width - begin, rows = part.row_end - part.row_begin;
    const bool whole = columns == shape_.out_width;
    for (int64_t at = 0; at < part.filters; at += kPartBlock)
      for (int64_t row = 0; row < (whole ? 1 : rows); ++row)
        f(part.y + at / kPartBlock * shape_.out_plane +
              ((part.row_begin + row) * shape_.out_width + begin) * kPartBlock,
          (whole ? rows : 1) * columns * kPartBlock, std::min(kPartBlock, part.filters - at));
  }

  int64_t blocks_of_group() const { return (group_channels_ + kPartPosition - 1) / kPartPosition; }
  int64_t taps() const { return kernel_[0] * kernel_[1]; }
  int64_t plane_bytes() const { return plane_rows_ * plane_columns_ * kTileBytes; }
  int64_t image_bytes() const;

  int parts_;
  int64_t images_, groups_, group_channels_, group_filters_, filters_, depth_;
  // Down and right.
  int64_t in_[2], out_[2], kernel_[2], strides_[2], dilations_[2], pads_[2];
  Order order_ = Order::kImage;
  int64_t before_ = 0;                                       // columns of what is outside, in the order of the image
  int64_t copies_ = 1, plane_rows_ = 0, plane_columns_ = 0;  // planes of a block of x, and their size
  BlockConvolution shape_;
  int64_t out_rows_ = 1;
  std::vector<BlockTile> tiles_;
  int64_t group_pairs_ = 0, pairs_ = 0, pair_bytes_ = 0;  // pairs of blocks of filters
  int64_t set_ = 1, sets_ = 0;                            // whose parts exist at once
  int64_t spot_rows_ = 0, spot_tiles_ = 0, spots_ = 0;    // of a task, and tasks of an image and a set
  int64_t chunk_images_ = 0, slots_ = 1;
  TiledConvolution<float> floats_;  // of one image
};

}  // namespace onnxrun::cpu
