// Convolutions of float32 on blocked channels as sums of products of bfloat16 parts (parts.h), where tiles make that faster.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/charge.h"
#include "cpu/cpu.h"
#include "cpu/loops/convolution_parts.h"
#include "cpu/loops/filter_pairs.h"
#include "cpu/loops/tiled_convolution.h"

namespace onnxrun::cpu {

class SharedExtents;

class PartConvolution {
 public:
  // Of weights as TiledWeights packs them, which are split while they are multiplied, or that are `held` in two parts (FilterPairs).
  // Neither plain nor depthwise; groups fill whole positions. `parts`: 2 or 3. Results do not depend on `threads`.
  PartConvolution(const WindowGeometry& geometry, int64_t groups, int parts, bool held, int threads);
  void clamp(float low, float high);
  size_t scratch_bytes() const;
  size_t table_bytes() const { return tiles_.capacity() * sizeof(BlockTile) + floats_.table_bytes(); }

  // Whether it pays for so many channels of a group, filters and taps; few results may turn out not to be worth it later, and are computed in float32.
  static bool pays(int64_t channels, int64_t filters, int64_t taps, int parts);
  static PartExtents extents(const float* numbers, int64_t count);

  // As TiledConvolution<float>, which computes those images whose parts, with weights of these extents, would not do; of weights that are held, with the sums of their parts.
  template <class F>
  void run(RunContext& context, const TiledArrays<float>& arrays, const PartExtents& weights, F&& f) const {
    if (shape_.out_plane == 0) return;
    Joined joined;
    const auto in_floats = [&](TiledArrays<float> image) {
      if (held_) {
        if (joined.numbers.empty()) join_weights(context, arrays.weights, joined);
        image.weights = joined.numbers.data();
      }
      floats_.run(context, image, f);
    };
    if (spots_ == 0) {
      for (int64_t image = 0; image < images_; ++image) in_floats(of_image(arrays, image));
      return;
    }
    for (int64_t first = 0; first < images_; first += chunk_images_) {
      const Chunk chunk = begin_chunk(context, arrays, weights, first);
      if (!chunk.safe) {
        for (int64_t image = 0; image < chunk.images; ++image) in_floats(of_image(chunk.arrays, image));
        continue;
      }
      if (!fused_) split_images(context, chunk);
      const int64_t slots = std::min<int64_t>(slots_, context.threads());
      const int64_t tasks = (keeps_ ? 1 : pairs_) * chunk.images * spots_;
      Claims claims(tasks, slots == 1 ? tasks : std::max<int64_t>(1, tasks / (kClaimsOfThread * slots)));
      context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
        for (int64_t slot = begin; slot < end; ++slot) {
          const Range first = claims.next();
          char* scratch = chunk.slots + slot * slot_bytes_;
          if (first.empty()) continue;
          if (keeps_) compute_spots(context, chunk, first, claims, scratch, f);
          else compute_pairs(context, chunk, first, claims, scratch, f);
        }
      });
      context.check_cancelled();
      // Again: nothing that is read shares memory with results.
      for (int64_t image = 0; image < chunk.images; ++image)
        if (!safe(chunk, image)) in_floats(of_image(chunk.arrays, image));
    }
  }

 private:
  static constexpr int64_t kClaimsOfThread = 4;
  struct Range {
    int64_t begin, end;
    bool empty() const { return begin == end; }
  };
  // Tasks that threads take as they come to them. What computes a task has no part in its results.
  class Claims {
   public:
    Claims(int64_t tasks, int64_t at_once) : tasks_(tasks), at_once_(at_once) {}
    Range next() {
      const int64_t begin = std::min(tasks_, claimed_.fetch_add(at_once_));
      return {begin, std::min(tasks_, begin + at_once_)};
    }

   private:
    int64_t tasks_, at_once_;
    std::atomic<int64_t> claimed_ = 0;
  };
  // How the positions of a plane in parts come from those of an image: as they are, with columns of what lies outside beside them; or for each column of the kernel, or each
  // tap, those that it sees, in the order of the results, which are then one long row.
  enum class Order { kImage, kColumns, kTaps };
  // Images that are in parts at once.
  struct Chunk {
    TiledArrays<float> arrays;  // of the first of them and those behind it
    PartExtents weights;
    bool safe;  // the weights and the bias
    int64_t images;
    char *x, *slots;         // parts of the images; scratch of each slot
    SharedExtents* extents;  // of each image
  };
  // Results of an image that are computed together, some tiles of some rows of `width`.
  struct Spot {
    int64_t image, first, width;  // the first row begins at result `first` of the image
    const BlockTile* tiles;
    int64_t row_begin, row_end, tile_begin, tile_end;
  };

  bool few_results(const WindowGeometry& geometry) const;
  bool parts_take_much(const WindowGeometry& geometry) const;
  void choose_order(const WindowGeometry& geometry);
  void plan_filters();
  void plan_spots();
  void add_tiles(int64_t width, bool one_row);
  Chunk begin_chunk(RunContext& context, const TiledArrays<float>& arrays, const PartExtents& weights,
                    int64_t first) const;
  void split_images(RunContext& context, const Chunk& chunk) const;
  PartExtents split_rows_of(const float* image, int64_t block, int64_t copy, int64_t begin, int64_t end,
                            char* to) const;
  // Whether what is known of the image so far would do.
  bool safe(const Chunk& chunk, int64_t image) const;
  FilterSplit split_of(const Chunk& chunk, int64_t pair, int64_t cut, char* to) const;
  // Where parts of filters are: those that are held, or else in `scratch`, where they are split now.
  const char* filters_of(const Chunk& chunk, int64_t pair, int64_t cut, char* scratch) const;
  LinesAhead lines_of(const Chunk& chunk, int64_t pair, int64_t cut) const;
  // Weights that were held as float32, for a run whose numbers parts turn out not to do for.
  struct Joined {
    base::Charge charge;
    std::vector<float> numbers;
  };
  void join_weights(RunContext& context, const float* held, Joined& to) const;
  PositionSplit split_of(const Chunk& chunk, const Spot& spot, char* to) const;
  void take(const Chunk& chunk, const Spot& spot, const PositionSplit& split) const;
  Spot spot(int64_t index) const;
  // Of `steps` of splitting beside the products of `count` such spots with so many blocks.
  int64_t steps_at_once(int64_t steps, const Spot& spot, int64_t count, int64_t blocks) const;
  BlockConvolutionPart<Bfloat16Pair> place(const Chunk& chunk, const Spot& spot, int64_t pair, int64_t block,
                                           const char* x, const char* filters) const;
  void convolve(const Spot& spot, const BlockConvolutionPart<Bfloat16Pair>& part, int64_t blocks, bool first, bool last,
                const SplitBeside& beside) const;
  TiledArrays<float> of_image(const TiledArrays<float>& arrays, int64_t image) const;

  // Spots, by all filters, whose parts are kept. Where it is fused the positions of the next spot are split beside the products.
  template <class F>
  void compute_spots(RunContext& context, const Chunk& chunk, Range range, Claims& claims, char* scratch, F& f) const {
    for (int64_t pair = 0; pair < pairs_ && !held_; ++pair) filters_of(chunk, pair, 0, scratch + pair * pair_bytes_);
    const char* filters = held_ ? filters_of(chunk, 0, 0, nullptr) : scratch;
    char *x = scratch + (held_ ? 0 : pairs_ * pair_bytes_), *next_x = x + spot_bytes_;
    if (fused_) split_spot(chunk, spot(range.begin), x);
    while (!range.empty() && !context.cancelled()) {
      const Spot here = spot(range.begin++);
      if (range.empty()) range = claims.next();
      const bool splits = fused_ && !range.empty();
      const Spot next = splits ? spot(range.begin) : here;
      PositionSplit split;
      SplitBeside beside;
      if (splits) {
        split = split_of(chunk, next, next_x);
        beside.positions = &split;
        beside.at_once = steps_at_once(split.steps(), here, pairs_, shape_.in_blocks);
      }
      for (int64_t pair = 0; pair < pairs_ && safe(chunk, here.image); ++pair) {
        const auto part = place(chunk, here, pair, 0, fused_ ? x : nullptr, filters + pair * pair_bytes_);
        convolve(here, part, shape_.in_blocks, true, true, beside);
        end_part(here, part, f);
      }
      if (splits) {
        split_positions(split, parts_, split.steps());
        take(chunk, next, split);
        std::swap(x, next_x);
      }
    }
  }
  void split_spot(const Chunk& chunk, const Spot& spot, char* to) const {
    PositionSplit split = split_of(chunk, spot, to);
    split_positions(split, parts_, split.steps());
    take(chunk, spot, split);
  }

  // Spots by pairs of blocks of filters, the channels of each cut into pieces. The next piece is split, or fetched, beside the products with one.
  template <class F>
  void compute_pairs(RunContext& context, const Chunk& chunk, Range range, Claims& claims, char* scratch, F& f) const {
    char *here_split = scratch, *next_split = scratch + cut_bytes_;
    const int64_t of_pair = chunk.images * spots_;
    const char* filters = filters_of(chunk, range.begin / of_pair, 0, here_split);
    FilterSplit split;
    LinesAhead lines;
    while (!range.empty()) {
      const int64_t pair = range.begin / of_pair;
      const Range here{range.begin, std::min(range.end, (pair + 1) * of_pair)};
      range.begin = here.end;
      if (range.empty()) range = claims.next();
      for (int64_t cut = 0; cut < cuts_; ++cut) {
        const int64_t block = cut * cut_blocks_, blocks = std::min(cut_blocks_, shape_.in_blocks - block);
        const bool last = cut + 1 == cuts_, goes_on = !last || !range.empty();
        const int64_t next_pair = last ? range.begin / of_pair : pair, next_cut = last ? 0 : cut + 1;
        SplitBeside beside;
        if (goes_on) {
          int64_t steps;
          if (held_) {
            lines = lines_of(chunk, next_pair, next_cut);
            beside.lines = &lines;
            steps = lines.left;
          } else {
            split = split_of(chunk, next_pair, next_cut, next_split);
            beside.filters = &split;
            steps = split.steps();
          }
          beside.at_once = steps_at_once(steps, spot(here.begin % of_pair), here.end - here.begin, blocks);
        }
        for (int64_t at = here.begin; at < here.end; ++at) {
          if (context.cancelled()) return;
          const Spot spot = this->spot(at % of_pair);
          if (!safe(chunk, spot.image)) continue;
          const auto part = place(chunk, spot, pair, block, nullptr, filters);
          convolve(spot, part, blocks, cut == 0, last, beside);
          if (last) end_part(spot, part, f);
        }
        if (!goes_on) continue;
        if (held_) {
          filters = filters_of(chunk, next_pair, next_cut, nullptr);
        } else {
          split_filters(split, parts_, split.steps());
          std::swap(here_split, next_split);
          filters = here_split;
        }
      }
    }
  }

  // Runs f on the pieces of a part that lie together in memory.
  template <class F>
  void end_part(const Spot& spot, const BlockConvolutionPart<Bfloat16Pair>& part, F& f) const {
    const BlockTile &begin = spot.tiles[spot.tile_begin], &last = spot.tiles[spot.tile_end - 1];
    const int64_t columns = last.first + last.width - begin.first, rows = spot.row_end - spot.row_begin;
    const bool whole = columns == spot.width;
    for (int64_t at = 0; at < part.filters; at += kPartBlock)
      for (int64_t row = spot.row_begin; row < (whole ? spot.row_begin + 1 : spot.row_end); ++row)
        f(part.y + at / kPartBlock * shape_.out_plane + (row * spot.width + begin.first) * kPartBlock,
          (whole ? rows : 1) * columns * kPartBlock, std::min(kPartBlock, part.filters - at));
  }

  // Whether results see the positions of the image one by one.
  bool flat() const { return strides_[0] == 1 && strides_[1] == 1 && taps() == 1; }
  int64_t taps() const { return kernel_[0] * kernel_[1]; }
  int64_t plane_bytes() const { return plane_rows_ * plane_columns_ * kTileBytes; }
  int64_t image_bytes() const;

  int parts_;
  bool held_;
  int64_t images_, groups_, group_channels_, group_filters_, filters_, depth_;
  // Down and right.
  int64_t in_[2], out_[2], kernel_[2], strides_[2], dilations_[2], pads_[2];
  Order order_ = Order::kImage;
  int64_t before_ = 0;                                       // columns of what is outside, in the order of the image
  int64_t copies_ = 1, plane_rows_ = 0, plane_columns_ = 0;  // planes of a block of x, and their size
  BlockConvolution shape_;
  int64_t out_rows_ = 1;
  std::vector<BlockTile> tiles_;  // of a row; of a fused spot, and of the last one
  FilterPairs weights_{};
  int64_t pairs_ = 0, pair_bytes_ = 0;  // of those
  bool keeps_ = false;                  // the parts of all filters
  bool fused_ = false;                  // with splitting the positions, each of which a result sees alone
  int64_t cut_blocks_ = 1, cuts_ = 1, cut_bytes_ = 0;   // pieces of filters that are not kept
  int64_t spot_rows_ = 0, spot_tiles_ = 0, spots_ = 0;  // of a spot, and spots of an image: none where nothing is split
  int64_t spot_positions_ = 0, spot_bytes_ = 0;         // of a fused one
  int64_t chunk_images_ = 0, slots_ = 1, slot_bytes_ = 0;
  TiledConvolution<float> floats_;  // of one image
};

}  // namespace onnxrun::cpu
