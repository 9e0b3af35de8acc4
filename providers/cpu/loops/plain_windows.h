// How plain images of few channels lie for tiles: the channels of neighbouring columns together, so that what a row of the kernel sees is one stretch of memory. That is a position of
// TileConvolution, of which neighbours overlap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/checked.h"
#include "cpu/loops/block_convolution.h"
#include "cpu/loops/tile_product.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

class PlainWindows {
 public:
  static constexpr int64_t kChannels = 4;  // of a column

  // Of one group, without dilation along the width; a tap has `columns` columns, as many as fill a position. `threads`: that may run them, 0 if that is not known.
  PlainWindows(const WindowGeometry& geometry, int64_t columns, int threads);

  // Not images that are padding for the most part.
  bool fit() const { return fits_; }
  // Rows are those of the image with columns of what is outside beside them. The caller sets `tiles`, to tiles(), before each use.
  const BlockConvolution& shape() const { return shape_; }
  const std::vector<BlockTile>& tiles() const { return tiles_; }
  int64_t columns() const { return base::checked_mul(shape_.in_height, shape_.in_width); }

  int64_t in_width() const { return in_width_; }                                     // of the image
  int64_t before() const { return before_; }                                         // columns of what is outside,
  int64_t inside() const { return std::min(in_width_, shape_.in_width - before_); }  // of the image,
  int64_t behind() const { return shape_.in_width - before_ - inside(); }            // and of what is outside again

  // Rows of results that are computed together.
  struct Rows {
    int64_t begin, end;
  };
  int64_t spots() const { return (out_height_ + spot_rows_ - 1) / spot_rows_; }
  Rows rows_of(int64_t spot) const { return {spot * spot_rows_, std::min(out_height_, (spot + 1) * spot_rows_)}; }

 private:
  int64_t in_width_, out_height_ = 1, before_ = 0;
  BlockConvolution shape_;
  std::vector<BlockTile> tiles_;
  int64_t spot_rows_ = 1;
  bool fits_ = false;
};

}  // namespace onnxrun::cpu
