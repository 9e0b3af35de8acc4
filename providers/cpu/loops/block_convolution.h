// Convolutions on blocked channels whose blocks fill a register: rows of output positions in registers, built for every level.
#pragma once

#include <cstdint>

#include "cpu/loops/panels.h"

namespace onnxrun::cpu {

// Neighbouring output positions of a row that are computed together, and which of them each tap of a row of the kernel sees.
struct BlockTile {
  static constexpr int kMostTaps = 16;
  // 0: all; 1 to 3: all but so many at the begin; 4 to 6: all but 1 to 3 at the end; 7: none.
  static constexpr int kMostHidden = 3;
  static constexpr int8_t kNone = 7;
  int64_t first = 0;
  int width = 0;
  int8_t taps[kMostTaps] = {};
};

// Channels of a position of a plain input in pairs.
inline constexpr int64_t kPlainPairChannels = 4;

// What all parts of a convolution share. Lengths are in elements: floats, or pairs of bfloat16 of neighbouring channels, never of depthwise
// convolutions.
struct BlockConvolution {
  // Depthwise: each channel is its own filter's, and a part has one block. Plain: the input is, [channels, height, width], or of pairs
  // [height, width, kPlainPairChannels]; it counts as one block.
  enum class Kind { kBlocked, kDepthwise, kPlain };
  Kind kind = Kind::kBlocked;
  int64_t in_blocks = 0, last_channels = 0;  // of a group; channels of its last block
  int64_t in_height = 0, in_width = 0, out_width = 0;
  int64_t kernel_height = 1, kernel_width = 1, stride_height = 1, stride_width = 1;
  int64_t dilation_height = 1, dilation_width = 1, pad_height = 0, pad_width = 0;
  int64_t in_plane = 0, out_plane = 0;  // of a block, or of a channel of a plain input; out_plane in floats
  int64_t blocks_at_once = 1;           // input blocks whose weights stay near
  bool gathers = false;                 // pointwise: parts may have up to gathered_blocks blocks of filters
  const BlockTile* tiles = nullptr;     // of a row
  bool clamps = false;                  // the results, what is not a number aside
  float low = 0, high = 0;
};

// Some tiles of some rows of one or two blocks of filters of one image, or more where positions are gathered.
template <class Element>
struct BlockConvolutionPart {
  const Element* x;  // the group's first block
  // [filter block, input block, kernel height, kernel width, channel or pair of them, filter] from the first filter; depthwise without the channel. Input blocks
  // have the channels of a position.
  const Element* weights;
  const Element* next_weights;  // null, or those that this thread takes next
  const float* bias;            // null or as many as there are filters
  const float* added;           // null or as y
  float* y;                     // the first filter's plane
  int64_t filters;
  int64_t row_begin, row_end, tile_begin, tile_end;
};

template <class Element>
struct BlockConvolutionFunctions {
  int64_t block = 0;         // channels; 0: the level has none of these
  int64_t position = block;  // channels of a position of the input as it is rounded, whole blocks
  // Positions are more than a block: inputs are brought into them, with columns of what is outside beside each row, and tiles need no BlockTile::taps.
  bool joins() const { return position > block; }
  bool (*takes_width)(int64_t width) = nullptr;  // of a tile
  int64_t most_columns = 0;                      // the widest tile
  // Of pointwise convolutions that look at nothing outside the image: so many blocks of filters share positions that are brought together first. 0: none.
  int64_t gathered_blocks = 0;
  // Strides along the width are at most 2. Lanes beyond the last filter become zero.
  void (*run)(const BlockConvolution& convolution, const BlockConvolutionPart<Element>& part) = nullptr;
  // Brings `count` positions of as many blocks as theirs have together, rounded to nearest even; null is a block of zeros. Null where elements are floats.
  void (*round)(const float* const* blocks, Element* to, int64_t count) = nullptr;
  // The same of `count` positions of the kPlainPairChannels channels of a plain input, of which null is one of zeros. Null where these are not for tiles.
  void (*round_plain)(const float* const* channels, Element* to, int64_t count) = nullptr;
};

// Those of this machine's level, of float or Bfloat16Pair.
template <class Element = float>
const BlockConvolutionFunctions<Element>& block_convolution_functions();

}  // namespace onnxrun::cpu
