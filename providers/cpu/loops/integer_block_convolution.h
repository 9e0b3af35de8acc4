// Convolutions of 8-bit values on blocked channels whose blocks are a register of int32 sums, built for every level.
#pragma once

#include <cstdint>

#include "cpu/loops/block_convolution.h"

namespace onnxrun::cpu {

// What all parts share. Lengths are in activations, unsigned bytes. Results are bytes: sum * scale, rounded half to even, plus the zero point. All scales
// are finite.
struct IntegerBlockConvolution {
  BlockConvolution shape;  // a plain input has kPlainPosition elements a position
  int64_t packed_filters;  // whole blocks
  float low, high;         // bounds of the result less its zero point
  int32_t zero;
  uint8_t outside;            // what stands for zero in x
  int64_t column_bytes = 64;  // as TileConvolutionOperands, of what tiles take
  // Of an addition: (result - zero) * scale_of_sum + (added - zero_of_added) * scale_of_added, less its zero point at most sum_high.
  float scale_of_sum, scale_of_added, sum_high;
  int32_t zero_of_added, zero_of_sum;
};

// Where a word of weights lies: input block, tap of the kernel (row after row), word of the block. The weights follow, [filter, channel of the word].
struct RestWord {
  int32_t block;
  uint16_t tap, word;
};

struct IntegerBlockConvolutionPart {
  const uint8_t* x;  // the group's first block
  // [filter block, input block, kernel height, kernel width, word of channels, filter, channel of the word] of int8; input blocks have the channels of a position.
  // Depthwise [filter block, kernel height, kernel width, filter] of int32.
  const void* weights;
  // Of weights in parts (cpu/loops/weight_parts.h) the words of which something remains: rest_starts[f] to rest_starts[f + 1] are those of the part's filter
  // block f. Null where weights are whole.
  const int32_t* rest_starts;
  const char* rest;
  const void* next_weights;  // null, or those that this thread takes next
  const int32_t* offsets;    // where the sums of each filter start
  // [kernel height, kernel width, packed filters]: what a tap that lies outside the image must give; null where nothing.
  const int32_t* outside;
  const float* scales;   // of each filter's sum
  const uint8_t* added;  // null or as y
  uint8_t* y;            // the first filter's plane
  int64_t filters;
  int64_t row_begin, row_end, tile_begin, tile_end;
};

struct IntegerBlockConvolutionFunctions {
  static constexpr int64_t kPlainPosition = 4, kWordChannels = 4;
  int64_t block = 0;         // channels; 0: the level has none of these
  int64_t position = block;  // channels of a position of the input, whole blocks
  // As BlockConvolutionFunctions::joins.
  bool joins() const { return position > block; }
  bool parts = false;  // takes weights in parts, unless depthwise
  bool (*takes_width)(int64_t width) = nullptr;
  int64_t most_columns = 0;
  // As BlockConvolutionFunctions::run. Lanes beyond the last filter become the zero point where their offsets and scales are 0.
  void (*run)(const IntegerBlockConvolution& convolution, const IntegerBlockConvolutionPart& part) = nullptr;
  // Brings the blocks of positions together, of which null is one that weights of zero meet; null where positions are blocks.
  void (*join)(const uint8_t* const* blocks, uint8_t* y, int64_t count) = nullptr;
  // Brings the channels of a plain input, kPlainPosition of them, together; null where those are not for tiles.
  void (*interleave)(const uint8_t* const* channels, uint8_t* y, int64_t count) = nullptr;
};

// Those of this machine's level.
const IntegerBlockConvolutionFunctions& integer_block_convolution_functions();
// The same, or better ones that take only inputs in blocks, of groups that fill positions.
const IntegerBlockConvolutionFunctions& integer_block_convolution_functions(bool plain, int64_t groups,
                                                                            int64_t group_channels);

}  // namespace onnxrun::cpu
