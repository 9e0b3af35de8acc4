// What convolutions by bfloat16 parts (parts.h) on tiles are made of. Built for levels with tiles.
#pragma once

#include <cstdint>

#include "cpu/loops/block_convolution.h"
#include "cpu/loops/parts.h"

namespace onnxrun::cpu {

// Channels of a block of float32, and of a position in parts, which has two blocks.
inline constexpr int64_t kPartBlock = 16, kPartPosition = 2 * kPartBlock;

// Rows of positions of float32 and where their parts go.
struct PositionRows {
  const float* blocks[2];  // the second may be null: zeros
  int64_t rows, count;     // positions of a row
  int64_t from_row, from_step;  // elements between rows, and between positions
  char* to;                     // kTileBytes a position
  int64_t to_row, part;         // bytes between rows, and between parts
};

// Blocks of filters of float32, packed as TiledWeights does it. The parts are in the order of TileConvolutionOperands, or of taps beside each other before those below each other.
struct FilterBlocks {
  const float* packed;
  int64_t filter_blocks, in_blocks;  // in_blocks of kPartBlock channels
  int64_t kernel_height, kernel_width;
  bool columns_first;
};

PartExtents split_positions(const PositionRows& rows, int parts);
void split_filters(const FilterBlocks& filters, int parts, char* to);

// A part of a convolution whose positions and weights are in `parts` parts, as TileConvolutionOperands say.
void convolve_parts(const BlockConvolution& convolution, const BlockConvolutionPart<Bfloat16Pair>& part, int parts);

}  // namespace onnxrun::cpu
