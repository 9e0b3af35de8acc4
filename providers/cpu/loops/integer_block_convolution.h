// Convolutions of 8-bit values on blocked channels whose blocks are a register of int32 sums, built for every level.
#pragma once

#include <cstdint>

#include "cpu/loops/block_convolution.h"

namespace onnxrun::cpu {

// What all parts share. Lengths are in elements of the activations: unsigned bytes as they are, or int16 less their zero point where the level widens them
// (never of depthwise convolutions). Results are bytes: sum * scale, rounded half to even, plus the zero point. All scales are finite.
struct IntegerBlockConvolution {
  BlockConvolution shape;  // a plain input has kPlainPosition elements a position
  int64_t packed_filters;  // whole blocks
  float low, high;         // bounds of the result less its zero point
  int32_t zero;
  // Of an addition: (result - zero) * scale_of_sum + (added - zero_of_added) * scale_of_added, less its zero point at most sum_high.
  float scale_of_sum, scale_of_added, sum_high;
  int32_t zero_of_added, zero_of_sum;
};

struct IntegerBlockConvolutionPart {
  const void* x;  // the group's first block
  // [filter block, input block, kernel height, kernel width, word of channels, filter, channel of the word]: int8, or int16 where activations are widened;
  // depthwise [filter block, kernel height, kernel width, filter] of int32.
  const void* weights;
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
  static constexpr int64_t kPlainPosition = 4;
  int64_t block = 0;  // channels; 0: the level has none of these
  bool widens = false;
  bool (*takes_width)(int64_t width) = nullptr;
  int64_t most_columns = 0;
  // As BlockConvolutionFunctions::run. Lanes beyond the last filter become the zero point where their offsets and scales are 0.
  void (*run)(const IntegerBlockConvolution& convolution, const IntegerBlockConvolutionPart& part) = nullptr;
  // Bring bytes into the form that `run` reads: those of blocks where the level widens, less `zero`, and those of a plain input's channels (kPlainPosition of
  // them) at every level.
  void (*widen)(const uint8_t* x, int32_t zero, int16_t* y, int64_t count) = nullptr;
  void (*interleave)(const uint8_t* const* channels, int32_t zero, void* y, int64_t count) = nullptr;
};

// Those of this machine's level.
const IntegerBlockConvolutionFunctions& integer_block_convolution_functions();

}  // namespace onnxrun::cpu
