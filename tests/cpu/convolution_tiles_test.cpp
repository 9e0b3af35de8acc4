// How convolutions on blocked channels are cut into parts.
#include "cpu/loops/convolution_tiles.h"

#include <gtest/gtest.h>

namespace onnxrun::cpu {
namespace {

TileLimits limits() {
  const BlockConvolutionFunctions<float>& functions = block_convolution_functions();
  return {.block = functions.block,
          .most_columns = functions.most_columns,
          .position = functions.position,
          .takes_width = functions.takes_width,
          .element_bytes = sizeof(float),
          .gathered_blocks = functions.gathered_blocks};
}

WindowGeometry geometry(int64_t channels, std::vector<int64_t> in, std::vector<int64_t> kernel,
                        std::vector<int64_t> pads) {
  WindowGeometry g;
  g.batch = 1;
  g.in_channels = g.out_channels = channels;
  for (size_t d = 0; d < in.size(); ++d) {
    g.out.push_back(in[d] + 2 * pads[d] - kernel[d] + 1);
    g.in_size *= in[d];
    g.out_size *= g.out[d];
    g.kernel_size *= kernel[d];
  }
  g.in = std::move(in);
  g.kernel = std::move(kernel);
  g.strides = g.dilations = {1, 1};
  g.pad_begin = g.pad_end = std::move(pads);
  return g;
}

// A run is cancelled between parts, so that none may take long.
TEST(ConvolutionTiles, PartsAreShortHoweverLargeTheKernelIs) {
  const TileLimits tile = limits();
  if (tile.block == 0) GTEST_SKIP() << "this machine's level has no tiles";
  struct Case {
    int64_t channels, groups;
    std::vector<int64_t> in, kernel, pads;
  };
  for (const Case& c :
       {Case{16, 1, {1 << 20, 1}, {1 << 20, 1}, {1 << 19, 0}}, Case{16, 16, {1 << 20, 2}, {1 << 20, 1}, {1 << 19, 0}},
        Case{64, 1, {3000, 3000}, {1000, 16}, {500, 8}}, Case{64, 1, {14, 14}, {3, 3}, {1, 1}}}) {
    const ConvolutionTiles tiles(tile, geometry(c.channels, c.in, c.kernel, c.pads), c.groups, false, 2);
    const int64_t terms = c.kernel[0] * c.kernel[1] * c.channels / c.groups;
    ASSERT_GT(tiles.part_count(), 0);
    int64_t positions = 0;
    for (int64_t i = 0; i < tiles.part_count(); ++i) {
      const ConvolutionTiles::Part part = tiles.part(i);
      int64_t columns = 0, count = 0;
      for (int64_t t = part.tile_begin; t < part.tile_end; ++t, ++count)
        columns += tiles.tiles()[static_cast<size_t>(t)].width;
      columns *= part.row_end - part.row_begin;
      count *= part.row_end - part.row_begin;
      positions += columns * part.filters;
      // One tile is as small as a part can be.
      if (count > 1) EXPECT_LE(columns * part.filters * terms, int64_t{1} << 30) << c.kernel[0] << " rows, part " << i;
    }
    EXPECT_EQ(positions, tiles.shape().out_plane / tile.block * c.channels);
  }
}

}  // namespace
}  // namespace onnxrun::cpu
