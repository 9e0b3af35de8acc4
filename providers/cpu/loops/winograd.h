// Winograd's transforms F(2x2, 3x3) of float32 on blocked channels, built for every level: the 4x4 positions that a tile of 2x2 results sees become 16 numbers
// a channel, the sums of whose products with 16 numbers of each filter become the results, with 16 multiplications where there are 36 by definition.
// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

struct Winograd {
  static constexpr int64_t kNumbers = 16;
  static constexpr int64_t kStep = 2;  // results along an axis of a tile

  // An image, or a plane of one block of its channels; lengths are in positions. Tiles are counted row by row.
  struct Image {
    int64_t in_height = 0, in_width = 0, out_height = 0, out_width = 0, pad_height = 0, pad_width = 0;
    int64_t columns() const { return (out_width + kStep - 1) / kStep; }
    int64_t tiles() const { return columns() * ((out_height + kStep - 1) / kStep); }
  };
  // What sums are made of.
  struct Source {
    const float* x = nullptr;        // planes of blocks of channels
    const float* weights = nullptr;  // number 0 of a block of filters, [channel, lane]
    int64_t blocks = 0, stride = 0;  // of channels; elements between the numbers of a weight
  };
  // What becomes of the sums of a block of filters.
  struct End {
    const float* bias = nullptr;   // of each lane
    const float* added = nullptr;  // null, or as y
    float* y = nullptr;            // the block's plane
    int64_t lanes = 0;             // those beyond become zero
    bool clamps = false;
    float low = 0, high = 0;
  };
};

struct WinogradFunctions {
  int64_t block = 0;  // channels; 0: the level has none of these
  // The numbers of `count` tiles from `first` on of a block of channels: number n of tile first + i begins at to[n * stride + i * block].
  void (*spread)(const Winograd::Image& image, const float* x, int64_t first, int64_t count, float* to,
                 int64_t stride) = nullptr;
  // The sums over blocks of channels: of one number of `width` tiles in `blocks` planes at x, and of those of one or two blocks of filters, [channel, lane],
  // `filters` elements apart, to planes at `to`.
  void (*multiply)(const float* x, int64_t width, int64_t blocks, const float* weights, int64_t filters, bool two,
                   float* to) = nullptr;
  // The results of the sums, which lie as those numbers do; by definition, of `source`, in tiles where one is not finite.
  void (*gather)(const Winograd::Image& image, const float* sums, int64_t stride, int64_t first, int64_t count,
                 const Winograd::Source& source, const Winograd::End& end) = nullptr;
};

// Those of this machine's level.
const WinogradFunctions& winograd_functions();

}  // namespace onnxrun::cpu
