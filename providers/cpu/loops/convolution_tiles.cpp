// Planning tiles and parts.
#include "cpu/loops/convolution_tiles.h"

#include <limits>
#include <tuple>
#include <utility>

namespace onnxrun::cpu {

namespace {

// Bytes of weights that stay in the nearest cache while rows of outputs pass by (measured with blocks of 8 and of 16), and of outputs that stay in the next.
constexpr int64_t near_bytes(int64_t block) { return block == 8 ? 24 << 10 : 12 << 10; }
constexpr int64_t kPartBytes = 128 << 10;
// Bytes of an image that stay in the next cache while filters pass by.
constexpr int64_t kImageBytes = 384 << 10;
// Products of a part: a cancelled run waits for those that are under way.
constexpr int64_t kPartProducts = int64_t{1} << 30;
// Columns of padding beyond as many as the image has.
constexpr int64_t kMostOutside = 32;
// Blocks of filters, and of channels, from which on it pays to gather positions.
constexpr int64_t kLeastGathered = 6;

int64_t blocks_of(int64_t channels, int64_t block) { return (channels + block - 1) / block; }

// One axis is taken as the second of two.
std::pair<int64_t, int64_t> two(const std::vector<int64_t>& values, int64_t fill) {
  return values.size() == 1 ? std::pair(fill, values[0]) : std::pair(values[0], values[1]);
}

}  // namespace

ConvolutionTiles::ConvolutionTiles(const TileLimits& limits, const WindowGeometry& g, int64_t groups, bool plain,
                                   int threads)
    : limits_(limits),
      groups_(groups),
      group_channels_(g.in_channels / groups),
      group_filters_(g.out_channels / groups),
      filters_(g.out_channels) {
  const int64_t block = limits_.block;
  if (groups > 1 && group_channels_ == 1 && group_filters_ == 1) {
    shape_.kind = BlockConvolution::Kind::kDepthwise;
    groups_ = 1;
    group_channels_ = group_filters_ = g.out_channels;
  }
  if (plain) shape_.kind = BlockConvolution::Kind::kPlain;
  const int64_t position = limits_.position;
  std::tie(shape_.in_height, shape_.in_width) = two(g.in, 1);
  std::tie(out_height_, shape_.out_width) = two(g.out, 1);
  std::tie(shape_.kernel_height, shape_.kernel_width) = two(g.kernel, 1);
  std::tie(shape_.stride_height, shape_.stride_width) = two(g.strides, 1);
  std::tie(shape_.dilation_height, shape_.dilation_width) = two(g.dilations, 1);
  std::tie(shape_.pad_height, shape_.pad_width) = two(g.pad_begin, 0);
  // A pointwise convolution is one long row.
  if (g.kernel_size == 1 && g.in_size == g.out_size && shape_.stride_height == 1 && shape_.stride_width == 1 &&
      shape_.pad_height == 0 && shape_.pad_width == 0) {
    shape_.in_height = out_height_ = 1;
    shape_.in_width = shape_.out_width = g.in_size;
  }
  // So is an image one position wide.
  if (shape_.in_width == 1 && shape_.out_width == 1 && shape_.kernel_width == 1 && shape_.stride_height <= 2 &&
      shape_.kernel_height <= BlockTile::kMostTaps) {
    std::swap(shape_.in_height, shape_.in_width);
    std::swap(out_height_, shape_.out_width);
    std::swap(shape_.kernel_height, shape_.kernel_width);
    std::swap(shape_.stride_height, shape_.stride_width);
    std::swap(shape_.dilation_height, shape_.dilation_width);
    std::swap(shape_.pad_height, shape_.pad_width);
  }
  shape_.in_blocks = depthwise() ? 1 : blocks_of(group_channels_, position);
  shape_.last_channels = depthwise() ? block : group_channels_ - (shape_.in_blocks - 1) * position;
  shape_.in_plane = g.in_size * (!plain ? position : std::max<int64_t>(1, limits_.plain_position));
  shape_.out_plane = g.out_size * block;
  if (joins()) join(g);
  shape_.blocks_at_once =
      std::max<int64_t>(1, near_bytes(block) / (2 * block * block * g.kernel_size * limits_.element_bytes));
  if (g.batch * g.out_size == 0) return;
  plan_tiles();
  plan_parts(g.batch, threads);
}

// Padding becomes columns of the input, unless there is much of it.
void ConvolutionTiles::join(const WindowGeometry& g) {
  const int64_t before = shape_.pad_width, last = (shape_.out_width - 1) * shape_.stride_width - before +
                                                  (shape_.kernel_width - 1) * shape_.dilation_width;
  const int64_t behind = std::max<int64_t>(0, last + 1 - shape_.in_width);
  const bool adds = before >= 0 && before + behind <= shape_.in_width + kMostOutside;
  joined_ = JoinedBlocks(g.batch, g.in_channels, limits_.block, limits_.position, shape_.in_height, shape_.in_width,
                         adds ? before : 0, adds ? behind : 0);
  if (!adds) return;
  shape_.in_width += before + behind;
  shape_.pad_width = 0;
  shape_.in_plane = base::checked_mul(shape_.in_height, shape_.in_width * limits_.position);
}

bool ConvolutionTiles::gathers() const {
  return limits_.gathered_blocks > 0 && shape_.kind == BlockConvolution::Kind::kBlocked && shape_.kernel_height == 1 &&
         shape_.kernel_width == 1 && shape_.pad_height == 0 && shape_.pad_width == 0 &&
         (out_height_ - 1) * shape_.stride_height < shape_.in_height &&
         (shape_.out_width - 1) * shape_.stride_width < shape_.in_width &&
         std::min(blocks_of(group_filters_, limits_.block), shape_.in_blocks) >= kLeastGathered;
}

// Long rows are cut into the widest tiles; the last positions into those that take the fewest steps.
void ConvolutionTiles::plan_tiles() {
  const int64_t most = limits_.most_columns, rest_from = 3 * most;
  int64_t first = 0;
  for (; shape_.out_width - first > rest_from; first += most) add_tile(first, static_cast<int>(most));
  const auto left = static_cast<size_t>(shape_.out_width - first);
  // Steps that the last n positions take, and the width of their first tile. Fewer than four positions wait for their sums.
  std::vector<std::pair<int64_t, int>> best(left + 1, {0, 0});
  for (size_t n = 1; n <= left; ++n) {
    best[n].first = std::numeric_limits<int64_t>::max();
    for (int width = 1; width <= std::min<int64_t>(most, static_cast<int64_t>(n)); ++width) {
      const int64_t steps = std::max(width, 4) + 1 + best[n - static_cast<size_t>(width)].first;
      if (limits_.takes_width(width) && steps <= best[n].first) best[n] = {steps, width};
    }
  }
  for (size_t n = left; n > 0;) {
    add_tile(first, best[n].second);
    first += best[n].second;
    n -= static_cast<size_t>(best[n].second);
  }
}

void ConvolutionTiles::add_tile(int64_t first, int width) {
  BlockTile tile{.first = first, .width = width};
  for (int64_t j = 0; j < shape_.kernel_width && !joins(); ++j) {
    int before = 0, behind = 0;
    for (int r = 0; r < width; ++r) {
      const int64_t column = (first + r) * shape_.stride_width - shape_.pad_width + j * shape_.dilation_width;
      before += column < 0;
      behind += column >= shape_.in_width;
    }
    int8_t& tap = tile.taps[j];
    if (before + behind >= width) tap = BlockTile::kNone;
    else if (before <= BlockTile::kMostHidden && behind == 0) tap = static_cast<int8_t>(before);
    else if (behind <= BlockTile::kMostHidden && before == 0)
      tap = static_cast<int8_t>(BlockTile::kMostHidden + behind);
    else {
      // So many are hidden that each position goes by itself.
      for (int r = 0; r < width; ++r) add_tile(first + r, 1);
      return;
    }
  }
  tiles_.push_back(tile);
}

// Rows pass by weights that stay where they are, unless the image is larger than the weights: then it stays.
void ConvolutionTiles::plan_parts(int64_t batch, int threads) {
  const int64_t block = limits_.block;
  shape_.gathers = gathers();
  pair_ = depthwise() ? block : shape_.gathers ? limits_.gathered_blocks * block : 2 * block;
  pairs_ = groups_ * ((group_filters_ + pair_ - 1) / pair_);
  image_stays_ = shape_.in_plane > filters_ * shape_.kernel_height * shape_.kernel_width * block;
  int64_t columns = kPartBytes / (pair_ * limits_.element_bytes);
  if (image_stays_)
    columns = std::min(columns, kImageBytes / (shape_.in_blocks * limits_.position * limits_.element_bytes));
  const int64_t of_position =
      pair_ * (depthwise() ? 1 : shape_.in_blocks * limits_.position) * shape_.kernel_height * shape_.kernel_width;
  const int64_t most = std::max<int64_t>(1, kPartProducts / of_position);
  columns = std::min(columns, most);
  // More parts where there are fewer than threads, or few large ones.
  const int64_t least = shape_.gathers && threads > 1 ? 4 * threads : threads;
  const int64_t wanted = batch * pairs_ >= least ? 1 : (least + batch * pairs_ - 1) / (batch * pairs_);
  const auto tiles = static_cast<int64_t>(tiles_.size());
  if (out_height_ == 1 || most < shape_.out_width) {
    const int64_t each = std::max<int64_t>(
        1, std::min(std::max<int64_t>(1, columns) / limits_.most_columns, (tiles + wanted - 1) / wanted));
    for (int64_t row = 0; row < out_height_; ++row)
      for (int64_t t = 0; t < tiles; t += each) spots_.push_back({row, row + 1, t, std::min(tiles, t + each)});
  } else {
    const int64_t each =
        std::max<int64_t>(1, std::min(columns / shape_.out_width, (out_height_ + wanted - 1) / wanted));
    for (int64_t row = 0; row < out_height_; row += each)
      spots_.push_back({row, std::min(out_height_, row + each), 0, tiles});
  }
  part_count_ = batch * pairs_ * static_cast<int64_t>(spots_.size());
}

// Not kept: there are many of them, and plans are kept for many shapes.
ConvolutionTiles::Part ConvolutionTiles::part(int64_t index) const {
  const auto spots = static_cast<int64_t>(spots_.size());
  const int64_t image = index / (spots * pairs_), rest = index % (spots * pairs_);
  const int64_t pair = image_stays_ ? rest % pairs_ : rest / spots;
  const Spot& spot = spots_[static_cast<size_t>(image_stays_ ? rest / pairs_ : rest % spots)];
  const int64_t of_group = pairs_ / groups_, first = pair % of_group * pair_;
  return {.image = image,
          .filter = pair / of_group * group_filters_ + first,
          .filters = std::min(pair_, group_filters_ - first),
          .row_begin = spot.row_begin,
          .row_end = spot.row_end,
          .tile_begin = spot.tile_begin,
          .tile_end = spot.tile_end};
}

ConvolutionTiles::Place ConvolutionTiles::place(const Part& part) const {
  const int64_t block = limits_.block, group = part.filter / group_filters_;
  const int64_t in_blocks = blocks_of(group_channels_ * groups_, limits_.position),
                out_blocks = blocks_of(filters_, block);
  const int64_t from = depthwise() ? part.filter / block : group * shape_.in_blocks;
  const int64_t planes = !plain() ? in_blocks : limits_.plain_position == 0 ? group_channels_ : 1;
  return {.x = (part.image * planes + from) * shape_.in_plane,
          .weights = weights_before(part.filter),
          .y = (part.image * out_blocks + part.filter / block) * shape_.out_plane};
}

}  // namespace onnxrun::cpu
