// Operands of cuBLASLt's products of int8, and what becomes of the sums.
#include "cuda/device/byte_lines.h"

#include "cuda/device/element.h"
#include "cuda/device/launch.h"
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

// A warp a line, of which there are `warps`.
__device__ void write_rows(const ByteLines& how, const uint8_t* from, int8_t* to, int32_t* sums, int64_t warp,
                           int64_t warps) {
  const unsigned flip = how.is_unsigned ? kFlip : 0;
  for (int64_t item = warp; item < how.groups * how.padded_lines; item += warps) {
    const int64_t group = item / how.padded_lines, line = item % how.padded_lines;
    const bool real = line < how.lines, one = how.ones && line == how.lines;
    const uint8_t* row = from + (group * how.lines + (real ? line : 0)) * how.depth;
    const bool whole = reinterpret_cast<uintptr_t>(row) % kChunk == 0;
    int sum = 0;
    for (int64_t k = threadIdx.x % 32 * kChunk; k < how.padded_depth; k += 32 * kChunk) {
      Chunk chunk{};
      if (real && whole && k + kChunk <= how.depth) {
        chunk = *reinterpret_cast<const Chunk*>(row + k);
        for (uint32_t& word : chunk.words) word ^= flip * 0x01010101u;
      } else if (real || one) {
        for (int i = 0; i < kChunk; ++i)
          if (k + i < how.depth) chunk.words[i / 4] |= (one ? 1u : row[k + i] ^ flip) << (i % 4 * 8);
      }
      for (const uint32_t word : chunk.words)
        for (int i = 0; i < 4; ++i) sum += static_cast<int8_t>(word >> (i * 8));
      *reinterpret_cast<Chunk*>(to + item * how.padded_depth + k) = chunk;
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    if (real && threadIdx.x % 32 == 0) sums[group * how.lines + line] = sum;
  }
}

constexpr int kTile = 64;                        // positions, and elements of the depth, of a block
constexpr int kEach = kTile * kTile / kThreads;  // bytes that a thread reads
constexpr int kLineWords = kTile / 4 + 1;        // a word more than bytes need, so that lines begin in different banks

// Where an element of the depth lies from the first that a position sees.
struct Seen {
  int offset, shift[3];
};

// A block reads along the positions and writes along the depth, a tile of both.
__device__ void write_patches(const ByteLines& how, const IntegerConvolution& image, int64_t first, const uint8_t* x,
                              int8_t* to, int position_tile, int depth_tile, int group) {
  __shared__ Seen seen[kTile];
  __shared__ uint32_t tile[kTile][kLineWords];
  const int in[3] = {static_cast<int>(image.in[0]), static_cast<int>(image.in[1]), static_cast<int>(image.in[2])};
  const int first_depth = depth_tile * kTile, depth = static_cast<int>(how.depth) - first_depth;
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < kTile && thread < depth) {
    Seen own;
    int rest = first_depth + thread;
    for (int d = 2; d >= 0; --d) {
      const int size = static_cast<int>(image.kernel[d]);
      own.shift[d] = rest % size * static_cast<int>(image.dilations[d]);
      rest /= size;
    }
    own.offset = ((rest * in[0] + own.shift[0]) * in[1] + own.shift[1]) * in[2] + own.shift[2];
    seen[thread] = own;
  }
  __syncthreads();

  const unsigned flip = how.is_unsigned ? kFlip : 0;
  const int column = thread % kTile;
  const int64_t line = static_cast<int64_t>(position_tile) * kTile + column;
  const bool real = line < how.lines;
  int start[3], rest = static_cast<int>(first + (real ? line : 0));
  for (int d = 2; d >= 0; --d) {
    const int size = static_cast<int>(image.out[d]);
    start[d] = rest % size * static_cast<int>(image.strides[d]) - static_cast<int>(image.begin[d]);
    rest /= size;
  }
  const int64_t channel = rest * image.channels + group * (image.channels / image.groups);
  const uint8_t* at = x + channel * in[0] * in[1] * in[2];
  const int base = (start[0] * in[1] + start[1]) * in[2] + start[2];
  const auto outside = static_cast<uint8_t>(stored_zero(image.x_zero, how.is_unsigned, 0));
  uint8_t values[kEach];
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int k = thread / kTile + i * (kThreads / kTile);
    values[i] = 0;
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
  const int64_t written = static_cast<int64_t>(position_tile) * kTile + row;
  if (written >= how.padded_lines || first_depth + k >= how.padded_depth) return;
  Chunk chunk;
  for (int i = 0; i < kChunk / 4; ++i) chunk.words[i] = tile[row][k / 4 + i];
  *reinterpret_cast<Chunk*>(to + (group * how.padded_lines + written) * how.padded_depth + first_depth + k) = chunk;
}

unsigned tiles_of(int64_t size) { return static_cast<unsigned>((size + kTile - 1) / kTile); }

// Both operands in one launch: the first blocks take the tiles of patches, the others the rows.
__global__ void byte_lines(ByteRows rows, BytePatches patches, unsigned position_tiles, unsigned depth_tiles) {
  const unsigned tiles = position_tiles * depth_tiles * static_cast<unsigned>(patches.lines.groups);
  if (blockIdx.x < tiles) {
    const unsigned rest = blockIdx.x / position_tiles;
    write_patches(patches.lines, patches.image, patches.first, static_cast<const uint8_t*>(patches.x), patches.to,
                  static_cast<int>(blockIdx.x % position_tiles), static_cast<int>(rest % depth_tiles),
                  static_cast<int>(rest / depth_tiles));
  } else {
    const int64_t warp = static_cast<int64_t>(blockIdx.x - tiles) * (blockDim.x / 32) + threadIdx.x / 32;
    write_rows(rows.lines, static_cast<const uint8_t*>(rows.from), rows.to, rows.sums, warp,
               static_cast<int64_t>(gridDim.x - tiles) * (blockDim.x / 32));
  }
}

// A thread a column, with the grid's second dimension over the lines.
template <class Y>
__global__ void byte_sums(ByteSums how, Y* y) {
  const int64_t column = first_item();
  if (column >= how.columns) return;
  const int at = static_cast<int>(how.first + column), size = static_cast<int>(how.image_size);
  const int image = at / size, place = at % size;
  const int lines = static_cast<int>(how.groups * how.rows), rows = static_cast<int>(how.rows);
  const auto column_zero = static_cast<unsigned>(stored_zero(how.column_zero, how.columns_unsigned, at));
  for (int line = static_cast<int>(blockIdx.y); line < lines; line += static_cast<int>(gridDim.y)) {
    const int32_t* sums = how.sums + (line / rows) * how.padded_rows * how.padded_columns + column;
    // Of (a - p) (b - q): that of a b, less q times the sum of a, less p times the sum of b, plus p q for each; modulo 2^32.
    auto sum = static_cast<unsigned>(sums[line % rows * how.padded_columns]) -
               column_zero * static_cast<unsigned>(how.row_sums[line]);
    if (how.ones) {
      const auto row_zero = static_cast<unsigned>(stored_zero(how.row_zero, how.rows_unsigned, line));
      sum += row_zero *
             (column_zero * static_cast<unsigned>(how.depth) - static_cast<unsigned>(sums[rows * how.padded_columns]));
    }
    if (how.bias != nullptr) sum += static_cast<unsigned>(how.bias[line]);
    y[(static_cast<int64_t>(image) * lines + line) * size + place] =
        ended<Y>(static_cast<int>(sum), how.ends, how.filters ? 0 : line, how.filters ? line : at);
  }
}

template <class Y>
void launch_byte_sums(const Queue& queue, const ByteSums& how, void* y) {
  const int64_t lines = how.groups * how.rows;
  const int64_t threads = how.columns < kThreads ? (how.columns + 31) / 32 * 32 : kThreads;
  const dim3 grid(static_cast<unsigned>((how.columns + threads - 1) / threads),
                  static_cast<unsigned>(lines < 65535 ? lines : 65535));
  launch(queue, byte_sums<Y>, grid, static_cast<unsigned>(threads), how, static_cast<Y*>(y));
}

}  // namespace

void launch_byte_lines(const Queue& queue, const ByteRows* rows, const BytePatches& patches) {
  const unsigned position_tiles = tiles_of(patches.lines.padded_lines),
                 depth_tiles = tiles_of(patches.lines.padded_depth);
  unsigned blocks = position_tiles * depth_tiles * static_cast<unsigned>(patches.lines.groups);
  if (rows != nullptr) blocks += blocks_for(rows->lines.groups * rows->lines.padded_lines, kThreads / 32).x;
  launch(queue, byte_lines, blocks, kThreads, rows == nullptr ? ByteRows{} : *rows, patches, position_tiles,
         depth_tiles);
}

ByteSumsLaunch find_byte_sums(DType y) {
  ByteSumsLaunch result = nullptr;
  with_element(Elements<int32_t, float, int8_t, uint8_t>{}, y,
               [&]<class Y>(std::type_identity<Y>) { result = launch_byte_sums<Y>; });
  return result;
}

}  // namespace onnxrun::cuda
