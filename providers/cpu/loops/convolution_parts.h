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
  const float* blocks[2];       // the second may be null: zeros
  int64_t rows, count;          // positions of a row
  int64_t from_row, from_step;  // elements between rows, and between positions
  char* to;                     // kTileBytes a position
  int64_t to_row, part;         // bytes between rows, and between parts
};

// Splitting that is done step by step, beside products.
struct FilterSplit {
  // Blocks of filters of float32, packed as TiledWeights does it: [filter block, input block, tap, channel, filter].
  const float* packed = nullptr;
  int64_t filter_blocks = 0, in_blocks = 0;  // in_blocks of kPartBlock channels
  int64_t first_block = 0, blocks = 0;       // those that are split, whole positions as far as there are
  int64_t taps = 1;
  char* to = nullptr;  // [filter block, position of channels, tap, part]

  // A step is half a tap of a block; those of channels that are missing count as well.
  int64_t steps() const { return 2 * filter_blocks * ((blocks + 1) & ~int64_t{1}) * taps; }
  int64_t left = 0;  // steps
  int64_t filter = 0, block = 0, tap = 0, half = 0;
  void begin() { left = steps(); }
};
struct PositionSplit {
  static constexpr int64_t kAtOnce = 4;  // positions of a step
  const float* x = nullptr;              // the first position
  int64_t in_plane = 0, in_blocks = 0;   // elements of a block's plane
  int64_t rows = 0, count = 0;           // positions of a row
  int64_t from_row = 0, from_step = 0;   // elements between rows, and between positions
  char* to = nullptr;                    // [two blocks, part, row, position]

  int64_t steps() const { return (in_blocks + 1) / 2 * rows * ((count + kAtOnce - 1) / kAtOnce); }
  int64_t left = 0;  // steps
  int64_t block = 0, row = 0, position = 0;
  alignas(64) uint32_t least[16] = {}, most[16] = {};  // of Extents

  void begin() {
    left = steps();
    for (uint32_t& each : least) each = UINT32_MAX;
  }
};

// Lines of memory that are used next.
struct LinesAhead {
  static constexpr int64_t kLine = 64;
  const char* from = nullptr;
  int64_t left = 0;
};

// What is split, or fetched into the second-level cache, beside products, `at_once` steps or lines for each of parts of a tap.
struct SplitBeside {
  FilterSplit* filters = nullptr;  // null: nothing
  PositionSplit* positions = nullptr;
  LinesAhead* lines = nullptr;
  int64_t at_once = 0;
};

// Columns of a row of a plain image, of whose channels those that are missing are null, and where their parts go: the channels of a column side by side.
struct PlainColumns {
  const float* channels[kPlainPairChannels];
  int64_t count;
  char* to;
  int64_t part;  // bytes between parts
};

PartExtents split_positions(const PositionRows& rows, int parts);
// Also into one part, rounded to nearest even.
PartExtents split_columns(const PlainColumns& columns, int parts);
// Up to `steps` steps more.
void split_filters(FilterSplit& split, int parts, int64_t steps);
void split_positions(PositionSplit& split, int parts, int64_t steps);
// Back from two parts of all blocks of these filters.
void join_filters(const FilterSplit& split, const char* parts, float* packed);
PartExtents extents_of(const PositionSplit& split);

// A part of a convolution whose positions and weights are in `parts` parts, as TileConvolutionOperands say: of some of the input blocks; those before them have
// made sums in y.
struct PartsOfConvolution {
  BlockConvolutionPart<Bfloat16Pair> part;
  bool first, last;
  int64_t filter_bytes, copies;  // as TileConvolutionOperands
  int64_t column_bytes = kTileBytes;
};
// `parts`: 1, of numbers that are rounded to bfloat16 and have nothing beside them, 2 or 3.
void convolve_parts(const BlockConvolution& convolution, const PartsOfConvolution& part, int parts,
                    const SplitBeside& beside);

}  // namespace onnxrun::cpu
