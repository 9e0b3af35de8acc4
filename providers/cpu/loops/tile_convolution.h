// Convolutions on blocked channels on tiles (tile_product.h): the rows of a tile of A are up to 16 neighbouring positions of the output, its words what a tap sees
// of each; the columns of B are a block of filters. `Tiles` is as there.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "cpu/loops/block_convolution.h"
#include "cpu/loops/part_order.h"
#include "cpu/loops/tile_product.h"

namespace onnxrun::cpu {

// What a part of a convolution reads, in bytes.
struct TileConvolutionOperands {
  const char* x;  // the group's first block: [in_blocks, parts] planes of positions of kTileBytes
  // [filter block, input block, kernel height, kernel width, part, word of a position, filter] of words, as in TileOperands.
  const char* weights;
  // Where the sums of each filter start, 4 bytes each, of whole blocks;
  const char* starts;
  // or those of each result, which lie as results do, from the first filter on.
  const char* sums = nullptr;
  int64_t filter_blocks;     // 1 or 2
  int64_t filter_bytes = 0;  // between them; 0: one comes after the other
  // Of so many neighbouring input blocks, which see copies of the same channels, taps alternate; those of the kernel, which are then a column's, are in the order of its rows.
  int64_t copies = 1;
  int64_t column_bytes =
      kTileBytes;      // from one column of x to the next; less than a position, where neighbours overlap
  uint8_t outside;     // the bytes of what lies outside the image,
  bool skips_outside;  // or a tap that sees nothing else is left out
};

struct NothingBeside {
  void operator()() const {}
};

// Of numbers that are sums of kParts parts. `Beside` is called once for each product of parts of a tap, for work that goes on while tiles multiply.
template <class Tiles, int kParts = 1, class Beside = NothingBeside>
class TileConvolution {
 public:
  TileConvolution(const BlockConvolution& c, const TileConvolutionOperands& o, Beside beside = {})
      : beside_(beside),
        c_(c),
        o_(o),
        plane_(c.in_height * c.in_width * o.column_bytes),
        taps_bytes_(c.kernel_height * c.kernel_width * kTapBytes),
        filter_bytes_(o.filter_bytes != 0 ? o.filter_bytes : c.in_blocks * taps_bytes_) {
    std::memset(outside_, o.outside, sizeof outside_);
  }

  // Runs finish(filter block, row, first position of the row, positions, sums) for all tiles of these rows; sums has kTileBytes a position and changes with the
  // next call.
  template <class Finish>
  void run(int64_t row_begin, int64_t row_end, int64_t tile_begin, int64_t tile_end, Finish&& finish) {
    int64_t t = tile_begin;
    for (; t + 1 < tile_end; t += 2)
      for (int64_t row = row_begin; row < row_end; ++row) add_up<2>({place(row, t), place(row, t + 1)}, finish);
    if (t == tile_end) return;
    int64_t row = row_begin;
    for (; row + 1 < row_end; row += 2) add_up<2>({place(row, t), place(row + 1, t)}, finish);
    if (row < row_end) add_up<1>({place(row, t)}, finish);
  }

 private:
  // Weights of a tap: words of a position for each filter, in all parts.
  static constexpr int64_t kPartBytes = kTileRows * kTileBytes, kTapBytes = kParts * kPartBytes;
  static constexpr int64_t kSumBytes = 4;

  // A tile, and what its first tap sees of the input.
  struct Place {
    int64_t row = 0, first = 0, width = 0, top = 0, left = 0;
  };
  struct Places {
    Place of[2];
  };

  Place place(int64_t row, int64_t tile) const {
    const BlockTile& t = c_.tiles[tile];
    return {row, t.first, t.width, row * c_.stride_height - c_.pad_height, t.first * c_.stride_width - c_.pad_width};
  }

  template <int R, class Finish>
  void add_up(const Places& places, Finish&& finish) {
    if (o_.filter_blocks > 1) add_up<R, 2>(places.of, finish);
    else add_up<R, 1>(places.of, finish);
  }

  // R tiles of positions times F blocks of filters.
  template <int R, int F, class Finish>
  void add_up(const Place* places, Finish&& finish) {
    Tiles& tiles = configured(places[0].width, R > 1 ? places[1].width : 0);
    each_tile<R * F>([&]<int T>() {
      if (o_.sums == nullptr) {
        tiles.template load<sums_of(T / F, T % F)>(o_.starts + T % F * kTileBytes, int64_t{0});
      } else {
        const int64_t at = T % F * c_.out_plane * kSumBytes;
        const int64_t position = places[T / F].row * c_.out_width + places[T / F].first;
        tiles.template load<sums_of(T / F, T % F)>(o_.sums + at + position * kTileBytes, int64_t{kTileBytes});
      }
    });
    const char* position = o_.weights;
    for (int64_t block = 0, copy = 0; block < c_.in_blocks; ++block) {
      const char* weights = position + copy * kTapBytes;
      for (int64_t i = 0; i < c_.kernel_height; ++i)
        for (int64_t j = 0; j < c_.kernel_width; ++j, weights += o_.copies * kTapBytes) {
          Positions seen[R];
          bool any = false;
          each_tile<R>([&]<int Row>() {
            seen[Row] = find(places[Row], block, i * c_.dilation_height, j * c_.dilation_width, edges_[Row]);
            any = any || seen[Row].from != nullptr;
          });
          if (any) multiply<R, F>(tiles, seen, weights);
        }
      if (++copy == o_.copies) {
        copy = 0;
        position += o_.copies * taps_bytes_;
      }
    }
    // All before the first is read, which waits for the store.
    each_tile<R * F>([&]<int T>() { tiles.template store<sums_of(T / F, T % F)>(sums_[T], kTileBytes); });
    each_tile<R * F>([&]<int T>() {
      const Place& p = places[T / F];
      finish(int64_t{T % F}, p.row, p.first, p.width, sums_[T]);
    });
  }

  // What a tile of positions sees of an input block; from nowhere: nothing.
  struct Positions {
    const char* from = nullptr;
    int64_t stride = kTileBytes, part = 0;  // bytes between positions, and between parts
  };

  // Adds the products of a tap.
  template <int R, int F>
  [[gnu::always_inline]] void multiply(Tiles& tiles, const Positions (&seen)[R], const char* weights) const {
    each_tile<products_of_parts(kParts)>([&]<int P>() {
      constexpr int kA = part_of_a(kParts, P), kB = part_of_b(kParts, P);
      if constexpr (takes_part_of_a(kParts, P)) {
        each_tile<R>([&]<int Row>() {
          const Positions& p = seen[Row];
          if (p.from != nullptr) tiles.template load<4 + Row>(p.from + kA * p.part, p.stride);
        });
      }
      each_tile<F>([&]<int Filter>() {
        if constexpr (takes_part_of_b(kParts, P))
          tiles.template load<6 + Filter>(weights + Filter * filter_bytes_ + kB * kPartBytes, kTileBytes);
        each_tile<R>([&]<int Row>() {
          if (seen[Row].from != nullptr) tiles.template multiply<sums_of(Row, Filter), 4 + Row, 6 + Filter>();
        });
      });
      beside_();
    });
  }

  static constexpr int sums_of(int row, int filter) { return row * 2 + filter; }

  Tiles& configured(int64_t rows, int64_t more_rows) {
    if (!tiles_ || rows != rows_ || more_rows != more_rows_) {
      rows_ = rows;
      more_rows_ = more_rows;
      tiles_.emplace(static_cast<int>(rows), static_cast<int>(more_rows));
    }
    return *tiles_;
  }

  // What the tap `down` and `right` of the first one sees of an input block, where part of it is outside brought together in `edge`.
  Positions find(const Place& p, int64_t block, int64_t down, int64_t right, char* edge) const {
    const int64_t row = p.top + down, column = p.left + right;
    const int64_t last = column + (p.width - 1) * c_.stride_width;
    if (row < 0 || row >= c_.in_height || last < 0 || column >= c_.in_width)
      return o_.skips_outside ? Positions{} : Positions{outside_, kTileBytes, 0};
    const char* from = o_.x + block * kParts * plane_ + row * c_.in_width * o_.column_bytes;
    if (column >= 0 && last < c_.in_width)
      return {from + column * o_.column_bytes, c_.stride_width * o_.column_bytes, plane_};
    char* to = edge;
    for (int part = 0; part < kParts; ++part, from += plane_, to += kPartBytes)
      for (int64_t r = 0, at = column; r < p.width; ++r, at += c_.stride_width)
        std::memcpy(to + r * kTileBytes, at >= 0 && at < c_.in_width ? from + at * o_.column_bytes : outside_,
                    kTileBytes);
    return {edge, kTileBytes, kPartBytes};
  }

  [[no_unique_address]] Beside beside_;
  const BlockConvolution& c_;
  const TileConvolutionOperands& o_;
  const int64_t plane_, taps_bytes_, filter_bytes_;
  std::optional<Tiles> tiles_;
  int64_t rows_ = 0, more_rows_ = 0;
  alignas(64) char outside_[kTileRows * kTileBytes];
  alignas(64) char edges_[2][kTapBytes];
  alignas(64) char sums_[4][kTileRows * kTileBytes];
};

}  // namespace onnxrun::cpu
