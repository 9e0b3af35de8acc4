// Cuts a convolution on blocked channels into tiles of neighbouring positions and parts for threads.
#pragma once

#include <algorithm>
#include <vector>

#include "cpu/loops/block_convolution.h"
#include "cpu/loops/joined_blocks.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

// What the functions that compute tiles say about them.
struct TileLimits {
  int64_t block = 0, most_columns = 0;
  int64_t position = block;  // channels of one of the input, as BlockConvolutionFunctions have it
  bool (*takes_width)(int64_t width) = nullptr;
  int64_t element_bytes = 0;  // of activations and weights
  int64_t gathered_blocks = 0;
  // A plain input is [channels, height, width] (0) or has so many elements a position.
  int64_t plain_position = 0;
};

// Bound to shapes; the channels of the geometry are those of the plain form.
class ConvolutionTiles {
 public:
  // Some tiles of some rows of one or two blocks of filters of one image.
  struct Part {
    int64_t image, filter, filters;  // filters of one group
    int64_t row_begin, row_end, tile_begin, tile_end;
  };
  // Where a part lies: elements before it.
  struct Place {
    int64_t x, weights, y;
  };

  // With `plain` the input has at most as many channels as a block, and one group.
  ConvolutionTiles(const TileLimits& limits, const WindowGeometry& geometry, int64_t groups, bool plain, int threads);

  // The caller sets `tiles`, which are this object's, before each use, and what else is not of geometry.
  const BlockConvolution& shape() const { return shape_; }
  const std::vector<BlockTile>& tiles() const { return tiles_; }
  // Where positions are more than a block: how the input is brought into them. The shape is that of the result.
  const JoinedBlocks& joined() const { return joined_; }
  int64_t part_count() const { return part_count_; }
  Part part(int64_t index) const;
  size_t table_bytes() const { return tiles_.capacity() * sizeof(BlockTile) + spots_.capacity() * sizeof(Spot); }
  Place place(const Part& part) const;

  // Calls f(offset from the part's first output, elements, filters) for pieces of a part that lie together in memory.
  template <class F>
  void each_piece(const Part& part, F&& f) const {
    const int64_t begin = tiles_[static_cast<size_t>(part.tile_begin)].first;
    const BlockTile& last = tiles_[static_cast<size_t>(part.tile_end - 1)];
    const bool whole = begin == 0 && last.first + last.width == shape_.out_width;
    const int64_t rows = part.row_end - part.row_begin, count = last.first + last.width - begin;
    for (int64_t at = 0; at < part.filters; at += limits_.block)
      for (int64_t row = 0; row < (whole ? 1 : rows); ++row)
        f(at / limits_.block * shape_.out_plane + ((part.row_begin + row) * shape_.out_width + begin) * limits_.block,
          (whole ? rows * shape_.out_width : count) * limits_.block, std::min(limits_.block, part.filters - at));
  }

 private:
  // What a part covers of each filter's plane.
  struct Spot {
    int64_t row_begin, row_end, tile_begin, tile_end;
  };

  bool depthwise() const { return shape_.kind == BlockConvolution::Kind::kDepthwise; }
  bool plain() const { return shape_.kind == BlockConvolution::Kind::kPlain; }
  bool joins() const { return limits_.position > limits_.block && !plain(); }
  void join(const WindowGeometry& geometry);
  bool gathers() const;
  void plan_tiles();
  void add_tile(int64_t first, int width);
  void plan_parts(int64_t batch, int threads);
  // Packed elements of weights before those of a filter.
  int64_t weights_before(int64_t filter) const {
    const int64_t taps = filter * shape_.kernel_height * shape_.kernel_width;
    return depthwise() ? taps : taps * shape_.in_blocks * limits_.position;
  }

  TileLimits limits_;
  BlockConvolution shape_;
  JoinedBlocks joined_;
  int64_t groups_, group_channels_, group_filters_, filters_, out_height_;
  std::vector<BlockTile> tiles_;
  std::vector<Spot> spots_;
  int64_t pair_ = 1, pairs_ = 0;  // filters that are computed together, and how many such there are
  bool image_stays_ = false;      // while filters pass by
  int64_t part_count_ = 0;
};

}  // namespace onnxrun::cpu
