// Operands of cuBLASLt's products of int8, and what becomes of the sums.
#include "cuda/device/byte_lines.h"

#include "cuda/device/divisor.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/pack.h"
#include "cuda/device/requantize.h"

namespace onnxrun::cuda {
namespace {

constexpr int kChunk = 16;  // bytes that a thread writes at once
struct alignas(kChunk) Chunk {
  uint32_t words[kChunk / 4];
};

constexpr unsigned kFlip = 0x80;  // uint8 less 128 as int8: the highest bit flipped

__device__ int stored_zero(const PerLine& zero, bool is_unsigned, int64_t line) {
  const uint8_t byte = zero.data == nullptr ? uint8_t{0} : static_cast<const uint8_t*>(zero.data)[line * zero.step];
  return static_cast<int8_t>(is_unsigned ? byte ^ kFlip : byte);
}

// Bytes k to k + kChunk of a row, stored; those beyond the depth are 0.
__device__ Chunk row_chunk(const ByteLines& how, const uint8_t* row, bool one, int64_t k) {
  const unsigned flip = how.is_unsigned ? kFlip : 0;
  Chunk chunk{};
  if (!one && reinterpret_cast<uintptr_t>(row + k) % kChunk == 0 && k + kChunk <= how.depth) {
    chunk = *reinterpret_cast<const Chunk*>(row + k);
    for (uint32_t& word : chunk.words) word ^= flip * 0x01010101u;
  } else {
    for (int i = 0; i < kChunk; ++i)
      if (k + i < how.depth) chunk.words[i / 4] |= (one ? 1u : row[k + i] ^ flip) << (i % 4 * 8);
  }
  return chunk;
}

// A warp a line, of which there are `warps`. A lane has several reads under way.
__device__ void write_rows(const ByteLines& how, const uint8_t* from, int8_t* to, int32_t* sums, int64_t warp,
                           int64_t warps) {
  constexpr int kReads = 4, kStep = 32 * kChunk;
  for (int64_t item = warp; item < how.groups * how.padded_lines; item += warps) {
    const int64_t group = item / how.padded_lines, line = item % how.padded_lines;
    const bool real = line < how.lines, one = how.ones && line == how.lines;
    const uint8_t* row = from + (group * how.lines + (real ? line : 0)) * how.depth;
    int sum = 0;
    for (int64_t first = threadIdx.x % 32 * kChunk; first < how.padded_depth; first += kReads * kStep) {
      Chunk chunks[kReads] = {};
#pragma unroll
      for (int i = 0; i < kReads; ++i)
        if ((real || one) && first + i * kStep < how.padded_depth)
          chunks[i] = row_chunk(how, row, one, first + i * kStep);
#pragma unroll
      for (int i = 0; i < kReads; ++i) {
        for (const uint32_t word : chunks[i].words)
          for (int b = 0; b < 4; ++b) sum += static_cast<int8_t>(word >> (b * 8));
        if (first + i * kStep < how.padded_depth)
          *reinterpret_cast<Chunk*>(to + item * how.padded_depth + first + i * kStep) = chunks[i];
      }
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    if (real && threadIdx.x % 32 == 0) sums[group * how.lines + line] = sum;
  }
}

constexpr int kTile = 64;                        // positions, and elements of the depth, of a block
constexpr int kEach = kTile * kTile / kThreads;  // bytes that a thread reads
constexpr int kLineWords = kTile / 4 + 1;        // a word more than bytes need, so that lines begin in different banks

// What a block reads of an image, in 32 bits.
struct PatchWalk {
  ByteLines lines;
  const uint8_t* x;
  int8_t* to;
  PerLine zero;
  int first, channels, per_group;
  int in[3], strides[3], dilations[3], begin[3];
  Divisor out[3], kernel[3];

  explicit PatchWalk(const BytePatches& patches)
      : lines(patches.lines),
        x(static_cast<const uint8_t*>(patches.x)),
        to(patches.to),
        zero(patches.image.x_zero),
        first(static_cast<int>(patches.first)),
        channels(static_cast<int>(patches.image.channels)),
        per_group(static_cast<int>(patches.image.channels / patches.image.groups)) {
    const IntegerConvolution& image = patches.image;
    for (int d = 0; d < 3; ++d) {
      in[d] = static_cast<int>(image.in[d]), begin[d] = static_cast<int>(image.begin[d]);
      strides[d] = static_cast<int>(image.strides[d]), dilations[d] = static_cast<int>(image.dilations[d]);
      out[d] = Divisor(image.out[d], kNarrow - 1), kernel[d] = Divisor(image.kernel[d], kNarrow - 1);
    }
  }
};

// Where an element of the depth lies from the first that a position sees.
struct Seen {
  int offset, shift[3];
};

// A block reads along the positions and writes along the depth, a tile of both.
__device__ void write_patches(const PatchWalk& walk, int position_tile, int depth_tile, int group) {
  __shared__ Seen seen[kTile];
  __shared__ uint32_t tile[kTile][kLineWords];
  const ByteLines& how = walk.lines;
  const int in[3] = {walk.in[0], walk.in[1], walk.in[2]};
  const int first_depth = depth_tile * kTile, depth = static_cast<int>(how.depth) - first_depth;
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < kTile && thread < depth) {
    Seen own;
    auto rest = static_cast<uint32_t>(first_depth + thread);
    for (int d = 2; d >= 0; --d) {
      rest = walk.kernel[d].narrow_divide(rest, own.shift[d]);
      own.shift[d] *= walk.dilations[d];
    }
    own.offset = ((static_cast<int>(rest) * in[0] + own.shift[0]) * in[1] + own.shift[1]) * in[2] + own.shift[2];
    seen[thread] = own;
  }
  const unsigned flip = how.is_unsigned ? kFlip : 0;
  const int column = thread % kTile, line = position_tile * kTile + column;
  const bool real = line < how.lines, one = how.ones && line == how.lines;
  int start[3];
  auto rest = static_cast<uint32_t>(walk.first + (real ? line : 0));
  for (int d = 2; d >= 0; --d) {
    rest = walk.out[d].narrow_divide(rest, start[d]);
    start[d] = start[d] * walk.strides[d] - walk.begin[d];
  }
  const int64_t channel = static_cast<int64_t>(rest) * walk.channels + group * walk.per_group;
  const uint8_t* at = walk.x + channel * in[0] * in[1] * in[2];
  const int base = (start[0] * in[1] + start[1]) * in[2] + start[2];
  const auto outside = static_cast<uint8_t>(stored_zero(walk.zero, how.is_unsigned, 0));
  __syncthreads();

  uint8_t values[kEach];
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int k = thread / kTile + i * (kThreads / kTile);
    values[i] = one && k < depth ? 1 : 0;
    if (!real || k >= depth) continue;
    const Seen to_see = seen[k];
    bool inside = true;
    for (int d = 0; d < 3; ++d)
      inside = inside && static_cast<unsigned>(start[d] + to_see.shift[d]) < static_cast<unsigned>(in[d]);
    values[i] = inside ? static_cast<uint8_t>(at[base + to_see.offset] ^ flip) : outside;
  }
  auto* own = reinterpret_cast<uint8_t*>(tile[column]);
#pragma unroll
  for (int i = 0; i < kEach; ++i) own[thread / kTile + i * (kThreads / kTile)] = values[i];
  __syncthreads();

  const int row = thread / (kTile / kChunk), k = thread % (kTile / kChunk) * kChunk;
  const int written = position_tile * kTile + row;
  if (written >= how.padded_lines || first_depth + k >= how.padded_depth) return;
  Chunk chunk;
  for (int i = 0; i < kChunk / 4; ++i) chunk.words[i] = tile[row][k / 4 + i];
  *reinterpret_cast<Chunk*>(walk.to + (group * how.padded_lines + written) * how.padded_depth + first_depth + k) =
      chunk;
}

unsigned tiles_of(int64_t size) { return static_cast<unsigned>((size + kTile - 1) / kTile); }

// Both operands in one launch: the first blocks take the tiles of patches, the others the rows.
__global__ void byte_lines(ByteRows rows, PatchWalk patches, unsigned position_tiles, unsigned depth_tiles,
                           unsigned tiles) {
  if (blockIdx.x < tiles) {
    const unsigned rest = blockIdx.x / position_tiles, group = rest / depth_tiles;
    write_patches(patches, static_cast<int>(blockIdx.x - rest * position_tiles),
                  static_cast<int>(rest - group * depth_tiles), static_cast<int>(group));
  } else {
    const int64_t warp = static_cast<int64_t>(blockIdx.x - tiles) * (blockDim.x / 32) + threadIdx.x / 32;
    write_rows(rows.lines, static_cast<const uint8_t*>(rows.from), rows.to, rows.sums, warp,
               static_cast<int64_t>(gridDim.x - tiles) * (blockDim.x / 32));
  }
}

constexpr int kEnds = 4;  // columns of a thread

// A thread some columns, with the grid's second dimension over the lines. `packs`: they are neighbours in y, at a multiple of their number.
template <class Y>
__global__ void byte_sums(ByteSums how, Divisor rows_of, Divisor size_of, bool packs, Y* __restrict__ y) {
  const int columns = static_cast<int>(how.columns), column = static_cast<int>(first_item()) * kEnds;
  if (column >= columns) return;
  const int lines = static_cast<int>(how.groups * how.rows);
  // Where the results go, from that of the first line on, and the zero points of their columns.
  int64_t places[kEnds];
  unsigned zeros[kEnds];
#pragma unroll
  for (int i = 0; i < kEnds; ++i) {
    const int at = static_cast<int>(how.first) + (column + i < columns ? column + i : column);
    int place;
    const auto image = static_cast<int64_t>(size_of.narrow_divide(static_cast<uint32_t>(at), place));
    places[i] = image * lines * how.image_size + place;
    zeros[i] = static_cast<unsigned>(stored_zero(how.column_zero, how.columns_unsigned, at));
  }
  for (int line = static_cast<int>(blockIdx.y); line < lines; line += static_cast<int>(gridDim.y)) {
    int row;
    const auto group = static_cast<int64_t>(rows_of.narrow_divide(static_cast<uint32_t>(line), row));
    const int32_t* sums = how.sums + group * how.padded_rows * how.padded_columns;
    const int32_t* own = sums + row * how.padded_columns;
    const Pack<int32_t, kEnds> products = load_pack<kEnds>(own + column);
    const auto row_sum = static_cast<unsigned>(how.row_sums != nullptr ? how.row_sums[line] : own[columns]);
    // Of (a - p) (b - q): that of a b, less q times the sum of a, less p times the sum of b, plus p q for each; modulo 2^32.
    Pack<int32_t, kEnds> column_sums{};
    unsigned row_zero = 0;
    if (how.ones) {
      row_zero = static_cast<unsigned>(stored_zero(how.row_zero, how.rows_unsigned, line));
      column_sums = load_pack<kEnds>(sums + how.rows * how.padded_columns + column);
    }
    const unsigned add = how.bias == nullptr ? 0 : static_cast<unsigned>(how.bias[line]);
    Pack<Y, kEnds> ends;
    Scaling<Y> scaling(how.ends, how.filters ? 0 : line, how.filters ? line : how.first + column);
#pragma unroll
    for (int i = 0; i < kEnds; ++i) {
      if (i > 0 && !how.filters && column + i < columns) scaling = Scaling<Y>(how.ends, line, how.first + column + i);
      const unsigned sum =
          static_cast<unsigned>(products.at[i]) - zeros[i] * row_sum + add +
          row_zero * (zeros[i] * static_cast<unsigned>(how.depth) - static_cast<unsigned>(column_sums.at[i]));
      ends.at[i] = scaling(static_cast<int>(sum));
    }
    Y* to = y + line * how.image_size;
    if (packs && column + kEnds <= columns) {
      store_pack(to + places[0], ends);
    } else {
#pragma unroll
      for (int i = 0; i < kEnds; ++i)
        if (column + i < columns) to[places[i]] = ends.at[i];
    }
  }
}

template <class Y>
void launch_byte_sums(const Queue& queue, const ByteSums& how, void* y) {
  const int64_t lines = how.groups * how.rows, items = (how.columns + kEnds - 1) / kEnds;
  const int64_t threads = items < kThreads ? (items + 31) / 32 * 32 : kThreads;
  const dim3 grid(static_cast<unsigned>((items + threads - 1) / threads),
                  static_cast<unsigned>(lines < 65535 ? lines : 65535));
  auto* to = static_cast<Y*>(y);
  const bool packs = how.image_size % kEnds == 0 && how.first % kEnds == 0 && takes_packs<kEnds>(to);
  launch(queue, byte_sums<Y>, grid, static_cast<unsigned>(threads), how, Divisor(how.rows, lines),
         Divisor(how.image_size, kNarrow - 1), packs, to);
}

}  // namespace

void launch_byte_lines(const Queue& queue, const ByteRows* rows, const BytePatches& patches) {
  const unsigned position_tiles = tiles_of(patches.lines.padded_lines);
  const unsigned depth_tiles = tiles_of(patches.lines.padded_depth);
  const unsigned tiles = position_tiles * depth_tiles * static_cast<unsigned>(patches.lines.groups);
  const unsigned others =
      rows == nullptr ? 0 : blocks_for(rows->lines.groups * rows->lines.padded_lines, kThreads / 32).x;
  launch(queue, byte_lines, tiles + others, kThreads, rows == nullptr ? ByteRows{} : *rows, PatchWalk(patches),
         position_tiles, depth_tiles, tiles);
}

ByteSumsLaunch find_byte_sums(DType y) {
  ByteSumsLaunch result = nullptr;
  with_element(Elements<int32_t, float, int8_t, uint8_t>{}, y,
               [&]<class Y>(std::type_identity<Y>) { result = launch_byte_sums<Y>; });
  return result;
}

}  // namespace onnxrun::cuda
