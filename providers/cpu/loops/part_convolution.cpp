// The order in which convolutions by parts read their input, and how they are split over threads and caches.
#include "cpu/loops/part_convolution.h"

#include <cmath>
#include <cstring>
#include <new>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "base/parallel.h"
#include "cpu/loops/part_order.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/shared_extents.h"

namespace onnxrun::cpu {

using base::ceil_div;

namespace {

// Bytes of parts that stay in the second-level cache: of all filters, of a piece of a pair, of positions that pass by all filters, and of those that are split just before that.
constexpr int64_t kKeptBytes = 768 << 10, kCutBytes = 256 << 10, kSpotBytes = 512 << 10, kFusedBytes = 192 << 10;
// Bytes of images in parts that exist at once.
constexpr int64_t kChunkBytes = 32 << 20;
// Products of a task: a cancelled run waits for those that are under way.
constexpr int64_t kTaskProducts = int64_t{1} << 30;
constexpr int64_t kSpotsOfThread = 4;
// Columns of padding beyond as many as the image has.
constexpr int64_t kMostOutside = 32;

WindowGeometry one_image(WindowGeometry g) {
  g.batch = std::min<int64_t>(g.batch, 1);
  return g;
}

}  // namespace

PartConvolution::PartConvolution(const WindowGeometry& g, int64_t groups, int parts, bool held, int threads)
    : parts_(parts),
      held_(held),
      images_(g.batch),
      groups_(groups),
      group_channels_(g.in_channels / groups),
      group_filters_(g.out_channels / groups),
      filters_(g.out_channels),
      slots_(threads > 0 ? threads : base::available_cpus()),
      floats_(one_image(g), groups, false, threads > 0 ? threads : base::available_cpus()) {
  const auto two = [](const std::vector<int64_t>& from, int64_t fill, int64_t(&to)[2]) {
    to[0] = from.size() == 1 ? fill : from[0];
    to[1] = from.back();
  };
  two(g.in, 1, in_);
  two(g.out, 1, out_);
  two(g.kernel, 1, kernel_);
  two(g.strides, 1, strides_);
  two(g.dilations, 1, dilations_);
  two(g.pad_begin, 0, pads_);
  depth_ = group_channels_ * taps();
  weights_ = {.groups = groups_, .channels = group_channels_, .filters = group_filters_, .taps = taps()};
  pairs_ = weights_.count();
  pair_bytes_ = weights_.bytes(parts_);
  if (images_ == 0 || g.out_size == 0) return;
  shape_.out_plane = g.out_size * kPartBlock;
  if (few_results(g)) return;
  choose_order(g);
  plan_filters();
  if (!fused_ && parts_take_much(g)) return;
  plan_spots();
  slots_ = std::min(slots_, (keeps_ ? 1 : pairs_) * chunk_images_ * spots_);
}

// Measured on a processor of the code name Sapphire Rapids. What is missing of whole positions and pairs of blocks of filters is multiplied as well; a number
// of the input is split for the products with all filters.
bool PartConvolution::pays(int64_t channels, int64_t filters, int64_t taps, int parts) {
  const double whole = static_cast<double>(ceil_div(channels, kPartPosition) * kPartPosition) *
                       static_cast<double>(ceil_div(filters, 2 * kPartBlock) * 2 * kPartBlock);
  const double share = static_cast<double>(channels) * static_cast<double>(filters) / whole;
  if (parts == 2) return channels > kPartBlock && filters * taps >= 32 && share >= 0.3;
  return taps == 1 ? channels + filters >= 192 && share >= 0.9 : channels >= 24 && filters * taps >= 64 && share >= 0.6;
}

// A weight is split for the products with all results.
bool PartConvolution::few_results(const WindowGeometry& g) const {
  if (held_) return false;
  const int64_t results = base::checked_mul(images_, g.out_size);
  return parts_ == 3 ? results < 40 || (results < 64 && depth_ < 256) : results < 32;
}

// Of an image: padding counts as well, and positions that several taps see as often as they do.
bool PartConvolution::parts_take_much(const WindowGeometry& g) const {
  const auto wide = [](int64_t number) { return static_cast<double>(number); };
  const double parts = wide(groups_ * weights_.positions()) * wide(copies_ * parts_) * wide(plane_rows_) *
                       wide(plane_columns_) * wide(kTileBytes);
  const double numbers = wide(kTileBytes) * (wide(ceil_div(g.in_channels, kPartBlock)) * wide(g.in_size) +
                                             wide(ceil_div(filters_, kPartBlock)) * wide(g.out_size));
  return parts > wide(kChunkBytes) && parts > 4 * numbers;
}

PartExtents PartConvolution::extents(const float* numbers, int64_t count) {
  return extents_of(numbers, count, 1, count);
}

void PartConvolution::clamp(float low, float high) {
  shape_.clamps = true;
  shape_.low = low;
  shape_.high = high;
  floats_.clamp(low, high);
}

// Results in one row fill tiles where their own rows would not; but a number is then split as often as columns of the kernel, or taps, see it.
void PartConvolution::choose_order(const WindowGeometry& g) {
  // Cycles of splitting a position, and of a product with tiles of few rows.
  constexpr int64_t kSplit = 18, kLeastRows = 13;
  const int64_t last = (out_[1] - 1) * strides_[1] - pads_[1] + (kernel_[1] - 1) * dilations_[1];
  const int64_t behind = std::max<int64_t>(0, last + 1 - in_[1]);
  const bool adds = pads_[1] >= 0 && pads_[1] + behind <= in_[1] + kMostOutside;
  plane_rows_ = in_[0];
  plane_columns_ = in_[1] + (adds ? pads_[1] + behind : 0);
  before_ = adds ? pads_[1] : 0;

  const bool columns = strides_[0] == 1;
  const int64_t copies = columns ? kernel_[1] : taps();
  const int64_t rows = columns ? out_[0] + (kernel_[0] - 1) * dilations_[0] : out_[0];
  const int64_t tiles = ceil_div(out_[1], kTileRows), width = ceil_div(out_[1], tiles);
  const double products =
      static_cast<double>(products_of_parts(parts_) * taps() * ceil_div(group_filters_, kPartBlock));
  const double split_image = static_cast<double>(plane_rows_) * static_cast<double>(plane_columns_),
               split_row = static_cast<double>(copies) * static_cast<double>(rows) * static_cast<double>(out_[1]);
  const double image = products * static_cast<double>(out_[0] * tiles * std::max(width, kLeastRows)) +
                       static_cast<double>(kSplit) * split_image,
               row = products * static_cast<double>(g.out_size) + static_cast<double>(kSplit) * split_row;
  if (row <= image && split_row <= 4 * split_image + 1024) {
    order_ = columns ? Order::kColumns : Order::kTaps;
    copies_ = copies;
    plane_rows_ = rows;
    plane_columns_ = out_[1];
  }

  shape_.in_blocks = weights_.positions() * copies_;
  if (order_ == Order::kImage) {
    out_rows_ = out_[0];
    shape_.out_width = out_[1];
    shape_.in_height = plane_rows_;
    shape_.in_width = plane_columns_;
    shape_.kernel_height = kernel_[0];
    shape_.kernel_width = kernel_[1];
    shape_.stride_height = strides_[0];
    shape_.stride_width = strides_[1];
    shape_.dilation_height = dilations_[0];
    shape_.dilation_width = dilations_[1];
    shape_.pad_height = pads_[0];
    shape_.pad_width = pads_[1] - before_;
  } else {
    shape_.in_height = 1;
    shape_.in_width = plane_rows_ * plane_columns_;
    shape_.out_width = g.out_size;
    shape_.kernel_width = order_ == Order::kColumns ? kernel_[0] : 1;
    shape_.dilation_width = order_ == Order::kColumns ? dilations_[0] * out_[1] : 1;
  }
}

// Of the same width. Two are computed together, side by side or in two rows.
void PartConvolution::add_tiles(int64_t width, bool one_row) {
  int64_t count = ceil_div(width, kTileRows);
  if (one_row && count > 1) count += count % 2;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t first = width * t / count;
    tiles_.push_back({.first = first, .width = static_cast<int>(width * (t + 1) / count - first)});
  }
}

void PartConvolution::plan_filters() {
  keeps_ = base::checked_mul(pairs_, pair_bytes_) <= kKeptBytes;
  const auto sees_all = [&](int axis) { return pads_[axis] == 0 && (out_[axis] - 1) * strides_[axis] < in_[axis]; };
  // Without strides a spot is some positions, else some rows.
  const int64_t row_bytes = base::checked_mul(groups_ * shape_.in_blocks * parts_ * kTileBytes, flat() ? 1 : out_[1]);
  fused_ = keeps_ && taps() == 1 && order_ != Order::kImage && sees_all(0) && sees_all(1) && row_bytes <= kFusedBytes;
  // Whole positions of channels.
  const int64_t positions = weights_.positions(), position_bytes = pair_bytes_ / positions;
  cuts_ = ceil_div(positions, std::max<int64_t>(1, kCutBytes / position_bytes));
  const int64_t of_cut = ceil_div(positions, cuts_);
  cuts_ = ceil_div(positions, of_cut);
  cut_blocks_ = of_cut * copies_;
  cut_bytes_ = of_cut * position_bytes;
}

void PartConvolution::plan_spots() {
  const int64_t position_bytes = groups_ * shape_.in_blocks * parts_ * kTileBytes;
  // Results of a task.
  const int64_t filters = (keeps_ ? pairs_ : 1) * 2 * kPartBlock;
  const int64_t most = std::max<int64_t>(1, kTaskProducts / (filters * depth_));
  chunk_images_ = fused_ ? images_ : std::clamp<int64_t>(kChunkBytes / std::max<int64_t>(1, image_bytes()), 1, images_);
  const int64_t wanted = ceil_div(kSpotsOfThread * slots_, (keeps_ ? 1 : pairs_) * chunk_images_);
  const auto even = [](int64_t count) { return std::max<int64_t>(2, count - count % 2); };
  if (fused_) {
    const int64_t results = shape_.out_width, unit = flat() ? 2 * kTileRows : out_[1];
    const int64_t positions = std::min({kFusedBytes / position_bytes, most, ceil_div(results, wanted)});
    spot_positions_ = std::min(results, std::max<int64_t>(1, positions / unit) * unit);
    spots_ = ceil_div(results, spot_positions_);
    spot_bytes_ = base::checked_mul(spot_positions_, position_bytes);
    add_tiles(spot_positions_, true);
    spot_tiles_ = static_cast<int64_t>(tiles_.size());
    add_tiles(results - (spots_ - 1) * spot_positions_, true);
    slot_bytes_ = (held_ ? 0 : pairs_ * pair_bytes_) + 2 * spot_bytes_;
    return;
  }
  add_tiles(shape_.out_width, out_rows_ == 1);
  const auto tiles = static_cast<int64_t>(tiles_.size());
  if (out_rows_ > 1 && most >= 2 * shape_.out_width) {
    const int64_t row_bytes =
        std::max<int64_t>(1, base::checked_mul(std::min(strides_[0], in_[0]) * plane_columns_, position_bytes));
    const int64_t rows = std::min(keeps_ ? kSpotBytes / row_bytes : out_rows_, most / shape_.out_width);
    spot_rows_ = std::min(out_rows_, even(std::min(rows, ceil_div(out_rows_, wanted))));
    spot_tiles_ = tiles;
  } else {
    const int64_t count = std::min(keeps_ ? kSpotBytes / (kTileRows * position_bytes) : tiles, most / kTileRows);
    spot_rows_ = 1;
    spot_tiles_ = std::min(tiles, even(std::min(count, ceil_div(tiles, ceil_div(wanted, out_rows_)))));
  }
  spots_ = ceil_div(out_rows_, spot_rows_) * ceil_div(tiles, spot_tiles_);
  slot_bytes_ = held_ ? 0 : keeps_ ? pairs_ * pair_bytes_ : 2 * cut_bytes_;
}

int64_t PartConvolution::image_bytes() const {
  const int64_t planes = base::checked_mul(groups_ * weights_.positions(), copies_ * parts_);
  return base::checked_mul(planes, base::checked_mul(plane_rows_, base::checked_mul(plane_columns_, kTileBytes)));
}

size_t PartConvolution::scratch_bytes() const {
  if (spots_ == 0) return 0;
  const int64_t extents = static_cast<int64_t>(sizeof(SharedExtents));
  const int64_t of_image = base::checked_add(fused_ ? 0 : image_bytes(), extents);
  return static_cast<size_t>(
      base::checked_add(base::checked_mul(slots_, slot_bytes_), base::checked_mul(chunk_images_, of_image)));
}

PartConvolution::Chunk PartConvolution::begin_chunk(RunContext& context, const TiledArrays<float>& arrays,
                                                    const PartExtents& weights, int64_t first) const {
  Chunk chunk{};
  chunk.arrays = of_image(arrays, first);
  chunk.weights = weights;
  chunk.safe = parts_are_safe({}, weights, depth_) &&
               (arrays.bias == nullptr || starts_are_safe(extents(arrays.bias, filters_)));
  chunk.images = std::min(chunk_images_, images_ - first);
  chunk.x = static_cast<char*>(context.scratch());
  chunk.slots = chunk.x + (fused_ ? 0 : chunk_images_ * image_bytes());
  chunk.extents = reinterpret_cast<SharedExtents*>(chunk.slots + slots_ * slot_bytes_);
  for (int64_t i = 0; i < chunk.images; ++i) new (chunk.extents + i) SharedExtents();
  return chunk;
}

void PartConvolution::split_images(RunContext& context, const Chunk& chunk) const {
  constexpr int64_t kPiece = 256;  // positions
  const int64_t each = std::clamp<int64_t>(kPiece / std::max<int64_t>(1, plane_columns_), 1, plane_rows_ + 1);
  const int64_t pieces = ceil_div(plane_rows_, each), blocks = groups_ * weights_.positions();
  const Cost cost = Cost(each) * plane_columns_ * kPartPosition * 8;
  parallel_polled(context, chunk.images * blocks * copies_ * pieces, cost, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t piece = i % pieces, copy = i / pieces % copies_, block = i / pieces / copies_ % blocks,
                    image = i / pieces / copies_ / blocks;
      char* to = chunk.x + image * image_bytes() + (block * copies_ + copy) * parts_ * plane_bytes();
      chunk.extents[image].take(split_rows_of(of_image(chunk.arrays, image).x, block, copy, piece * each,
                                              std::min(plane_rows_, (piece + 1) * each), to));
    }
  });
}

bool PartConvolution::safe(const Chunk& chunk, int64_t image) const {
  return parts_are_safe(chunk.extents[image].result(), chunk.weights, depth_);
}

// Rows [begin, end) of a plane.
PartExtents PartConvolution::split_rows_of(const float* image, int64_t block, int64_t copy, int64_t begin, int64_t end,
                                           char* to) const {
  const int64_t row_bytes = plane_columns_ * kTileBytes, in_plane = in_[0] * in_[1] * kPartBlock;
  // The row and the column of the image that the plane's first position is of, and from one to the next.
  int64_t y = 0, x = -before_, y_step = 1, x_step = 1;
  if (order_ != Order::kImage) {
    const bool columns = order_ == Order::kColumns;
    y = (columns ? 0 : copy / kernel_[1] * dilations_[0]) - pads_[0];
    x = (columns ? copy : copy % kernel_[1]) * dilations_[1] - pads_[1];
    y_step = strides_[0];
    x_step = strides_[1];
  }
  const auto inside = [](int64_t at, int64_t step, int64_t size, int64_t low, int64_t high) {
    const int64_t from = at >= 0 ? 0 : ceil_div(-at, step), behind = at >= size ? 0 : ceil_div(size - at, step);
    const int64_t first = std::clamp(from, low, high);
    return std::pair(first, std::clamp(behind, first, high));
  };
  const auto [first_row, last_row] = inside(y, y_step, in_[0], begin, end);
  const auto [first, last] = inside(x, x_step, in_[1], 0, plane_columns_);
  const bool empty = first_row == last_row || first == last;
  for (int part = 0; part < parts_; ++part) {
    char* plane = to + part * plane_bytes();
    const auto clear = [&](int64_t row, int64_t rows, int64_t column, int64_t columns) {
      for (int64_t r = row; r < row + rows && columns > 0; ++r)
        std::memset(plane + r * row_bytes + column * kTileBytes, 0, static_cast<size_t>(columns * kTileBytes));
    };
    if (empty) {
      clear(begin, end - begin, 0, plane_columns_);
      continue;
    }
    clear(begin, first_row - begin, 0, plane_columns_);
    clear(first_row, last_row - first_row, 0, first);
    clear(first_row, last_row - first_row, last, plane_columns_ - last);
    clear(last_row, end - last_row, 0, plane_columns_);
  }
  if (empty) return {};
  const float* from =
      image + 2 * block * in_plane + ((y + first_row * y_step) * in_[1] + x + first * x_step) * kPartBlock;
  const bool two = 2 * block + 1 < ceil_div(groups_ * group_channels_, kPartBlock);
  return split_positions({.blocks = {from, two ? from + in_plane : nullptr},
                          .rows = last_row - first_row,
                          .count = last - first,
                          .from_row = y_step * in_[1] * kPartBlock,
                          .from_step = x_step * kPartBlock,
                          .to = to + first_row * row_bytes + first * kTileBytes,
                          .to_row = row_bytes,
                          .part = plane_bytes()},
                         parts_);
}

FilterSplit PartConvolution::split_of(const Chunk& chunk, int64_t pair, int64_t cut, char* to) const {
  FilterSplit split = weights_.split(chunk.arrays.weights, pair, to);
  if (keeps_) return split;
  const int64_t first = cut * cut_blocks_ / copies_;  // of positions of channels
  split.first_block = 2 * first;
  split.blocks = std::min(2 * (cut_blocks_ / copies_), split.in_blocks - split.first_block);
  split.begin();
  return split;
}

const char* PartConvolution::filters_of(const Chunk& chunk, int64_t pair, int64_t cut, char* scratch) const {
  if (held_) return lines_of(chunk, pair, cut).from;
  FilterSplit split = split_of(chunk, pair, cut, scratch);
  split_filters(split, parts_, split.steps());
  return scratch;
}

// Those of the first block of filters, which those of the second, if they are cut, do not follow.
LinesAhead PartConvolution::lines_of(const Chunk& chunk, int64_t pair, int64_t cut) const {
  const char* parts = reinterpret_cast<const char*>(chunk.arrays.weights);
  return {.from = parts + pair * pair_bytes_ + cut * cut_bytes_ / 2,
          .left = (cuts_ == 1 ? cut_bytes_ : cut_bytes_ / 2) / LinesAhead::kLine};
}

void PartConvolution::join_weights(RunContext& context, const float* held, Joined& to) const {
  const size_t numbers = weights_.joined_numbers();
  to.charge = base::Charge(base::kernel_budget(), base::checked_mul(static_cast<int64_t>(numbers), sizeof(float)));
  to.numbers.resize(numbers);
  const char* parts = reinterpret_cast<const char*>(held);
  parallel_polled(context, pairs_, Cost(weights_.bytes(parts_)), [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) weights_.join(parts, pair, to.numbers.data());
  });
}

// Of a fused one.
PositionSplit PartConvolution::split_of(const Chunk& chunk, const Spot& spot, char* to) const {
  PositionSplit split;
  const int64_t row = spot.first / out_[1], in = flat() ? spot.first : row * strides_[0] * in_[1];
  split.x = of_image(chunk.arrays, spot.image).x + in * kPartBlock;
  split.in_plane = in_[0] * in_[1] * kPartBlock;
  split.in_blocks = ceil_div(groups_ * group_channels_, kPartBlock);
  split.rows = flat() ? 1 : spot.width / out_[1];
  split.count = flat() ? spot.width : out_[1];
  split.from_row = strides_[0] * in_[1] * kPartBlock;
  split.from_step = flat() ? kPartBlock : strides_[1] * kPartBlock;
  split.to = to;
  split.begin();
  return split;
}

void PartConvolution::take(const Chunk& chunk, const Spot& spot, const PositionSplit& split) const {
  chunk.extents[spot.image].take(extents_of(split));
}

int64_t PartConvolution::steps_at_once(int64_t steps, const Spot& spot, int64_t count, int64_t blocks) const {
  const int64_t tiles = (spot.row_end - spot.row_begin) * (spot.tile_end - spot.tile_begin);
  const int64_t taps = blocks * shape_.kernel_height * shape_.kernel_width;
  return ceil_div(steps, ceil_div(tiles, 2) * count * taps * products_of_parts(parts_));
}

PartConvolution::Spot PartConvolution::spot(int64_t index) const {
  Spot spot{};
  spot.image = index / spots_;
  const int64_t at = index % spots_;
  if (fused_) {
    const bool last = at + 1 == spots_;
    spot.first = at * spot_positions_;
    spot.width = std::min(spot_positions_, shape_.out_width - spot.first);
    spot.tiles = tiles_.data() + (last ? spot_tiles_ : 0);
    spot.tile_end = last ? static_cast<int64_t>(tiles_.size()) - spot_tiles_ : spot_tiles_;
    spot.row_end = 1;
    return spot;
  }
  const auto tiles = static_cast<int64_t>(tiles_.size());
  const int64_t across = ceil_div(tiles, spot_tiles_);
  spot.width = shape_.out_width;
  spot.tiles = tiles_.data();
  spot.row_begin = at / across * spot_rows_;
  spot.row_end = std::min(out_rows_, spot.row_begin + spot_rows_);
  spot.tile_begin = at % across * spot_tiles_;
  spot.tile_end = std::min(tiles, spot.tile_begin + spot_tiles_);
  return spot;
}

// `x` has the parts of a fused spot.
BlockConvolutionPart<Bfloat16Pair> PartConvolution::place(const Chunk& chunk, const Spot& spot, int64_t pair,
                                                          int64_t block, const char* x, const char* filters) const {
  const int64_t group = weights_.group_of(pair), first = weights_.first_filter(pair),
                filter = group * group_filters_ + first;
  const int64_t y = filter / kPartBlock * shape_.out_plane + spot.first * kPartBlock;
  const int64_t plane = fused_ ? spot.width * kTileBytes : plane_bytes();
  const char* planes = fused_ ? x : chunk.x + spot.image * image_bytes();
  const TiledArrays<float> image = of_image(chunk.arrays, spot.image);
  return {.x = reinterpret_cast<const Bfloat16Pair*>(planes + (group * shape_.in_blocks + block) * parts_ * plane),
          .weights = reinterpret_cast<const Bfloat16Pair*>(filters),
          .next_weights = nullptr,
          .bias = image.bias == nullptr ? nullptr : image.bias + filter,
          .added = image.added == nullptr ? nullptr : image.added + y,
          .y = image.y + y,
          .filters = std::min(2 * kPartBlock, group_filters_ - first),
          .row_begin = spot.row_begin,
          .row_end = spot.row_end,
          .tile_begin = spot.tile_begin,
          .tile_end = spot.tile_end};
}

void PartConvolution::convolve(const Spot& spot, const BlockConvolutionPart<Bfloat16Pair>& part, int64_t blocks,
                               bool first, bool last, const SplitBeside& beside) const {
  BlockConvolution shape = shape_;
  shape.in_blocks = blocks;
  shape.tiles = spot.tiles;
  shape.out_width = spot.width;
  if (fused_) shape.in_width = spot.width;
  convolve_parts(shape,
                 {.part = part,
                  .first = first,
                  .last = last,
                  .filter_bytes = held_ ? pair_bytes_ / 2 : 0,
                  .copies = order_ == Order::kColumns ? copies_ : 1},
                 parts_, beside);
}

TiledArrays<float> PartConvolution::of_image(const TiledArrays<float>& arrays, int64_t image) const {
  TiledArrays<float> result = arrays;
  const int64_t in = ceil_div(groups_ * group_channels_, kPartBlock) * in_[0] * in_[1] * kPartBlock,
                out = ceil_div(filters_, kPartBlock) * shape_.out_plane;
  result.x += image * in;
  result.y += image * out;
  if (result.added != nullptr) result.added += image * out;
  return result;
}

}  // namespace onnxrun::cpu
