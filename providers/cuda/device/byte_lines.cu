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

// A warp a line.
__global__ void lines_of_rows(ByteLines how, const uint8_t* from, int8_t* to, int32_t* sums) {
  const unsigned flip = how.is_unsigned ? kFlip : 0;
  const int64_t warps = static_cast<int64_t>(gridDim.x) * (blockDim.x / 32), all = how.groups * how.padded_lines;
  for (int64_t item = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; item < all;
       item += warps) {
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

constexpr int kTile = 64;  // positions, and elements of the depth, of a block

// Where an element of the depth lies from the first that a position sees.
struct Seen {
  int offset, shift[3];
};

// A block reads along the positions and writes along the depth, a tile of both.
__global__ void lines_of_patches(ByteLines how, IntegerConvolution image, int64_t first, const uint8_t* x, int8_t* to) {
  __shared__ Seen seen[kTile];
  __shared__ uint8_t tile[kTile][kTile + 4];
  const int in[3] = {static_cast<int>(image.in[0]), static_cast<int>(image.in[1]), static_cast<int>(image.in[2])};
  const int depth = static_cast<int>(how.depth), thread = static_cast<int>(threadIdx.x);
  const int first_depth = static_cast<int>(blockIdx.y) * kTile;
  if (thread < kTile) {
    Seen own{};
    int rest = first_depth + thread;
    for (int d = 2; d >= 0; --d) {
      const int size = static_cast<int>(image.kernel[d]);
      own.shift[d] = rest % size * static_cast<int>(image.dilations[d]);
      rest /= size;
    }
    own.offset = ((rest * in[0] + own.shift[0]) * in[1] + own.shift[1]) * in[2] + own.shift[2];
    if (first_depth + thread < depth) seen[thread] = own;
  }
  __syncthreads();

  const int64_t group = blockIdx.z;
  const unsigned flip = how.is_unsigned ? kFlip : 0;
  const int column = thread % kTile;
  const int64_t line = static_cast<int64_t>(blockIdx.x) * kTile + column;
  const bool real = line < how.lines;
  const int64_t out_size = image.out[0] * image.out[1] * image.out[2], position = first + (real ? line : 0);
  int start[3], rest = static_cast<int>(position % out_size);
  for (int d = 2; d >= 0; --d) {
    const int size = static_cast<int>(image.out[d]);
    start[d] = rest % size * static_cast<int>(image.strides[d]) - static_cast<int>(image.begin[d]);
    rest /= size;
  }
  const int64_t per_group = image.channels / image.groups;
  const uint8_t* at = x + ((position / out_size) * image.channels + group * per_group) * in[0] * in[1] * in[2];
  const int base = (start[0] * in[1] + start[1]) * in[2] + start[2];
  const auto outside = static_cast<uint8_t>(stored_zero(image.x_zero, how.is_unsigned, 0));
  for (int k = thread / kTile; k < kTile; k += kThreads / kTile) {
    uint8_t value = 0;
    if (real && first_depth + k < depth) {
      bool inside = true;
      for (int d = 0; d < 3; ++d)
        inside = inside && static_cast<unsigned>(start[d] + seen[k].shift[d]) < static_cast<unsigned>(in[d]);
      value = inside ? static_cast<uint8_t>(at[base + seen[k].offset] ^ flip) : outside;
    }
    tile[column][k] = value;
  }
  __syncthreads();

  const int row = thread / (kTile / kChunk), k = thread % (kTile / kChunk) * kChunk;
  const int64_t written = static_cast<int64_t>(blockIdx.x) * kTile + row;
  if (written >= how.padded_lines || first_depth + k >= how.padded_depth) return;
  Chunk chunk;
  for (int i = 0; i < kChunk / 4; ++i) chunk.words[i] = *reinterpret_cast<const uint32_t*>(&tile[row][k + i * 4]);
  *reinterpret_cast<Chunk*>(to + (group * how.padded_lines + written) * how.padded_depth + first_depth + k) = chunk;
}

// A thread a column, with the grid's second dimension over the lines.
template <class Y>
__global__ void byte_sums(ByteSums how, Y* y) {
  const int64_t column = first_item();
  if (column >= how.columns) return;
  const int64_t at = how.first + column, image = at / how.image_size, place = at % how.image_size;
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
    y[(image * lines + line) * how.image_size + place] =
        ended<Y>(static_cast<int>(sum), how.ends, how.filters ? 0 : line, how.filters ? line : at);
  }
}

template <class Y>
void launch_byte_sums(const Queue& queue, const ByteSums& how, void* y) {
  const int64_t lines = how.groups * how.rows;
  const dim3 grid(static_cast<unsigned>((how.columns + kThreads - 1) / kThreads),
                  static_cast<unsigned>(lines < 65535 ? lines : 65535));
  launch(queue, byte_sums<Y>, grid, kThreads, how, static_cast<Y*>(y));
}

}  // namespace

void launch_lines_of_rows(const Queue& queue, const ByteLines& lines, const void* from, int8_t* to, int32_t* sums) {
  launch(queue, lines_of_rows, blocks_for(lines.groups * lines.padded_lines, 4), 128, lines,
         static_cast<const uint8_t*>(from), to, sums);
}

void launch_lines_of_patches(const Queue& queue, const ByteLines& lines, const IntegerConvolution& image, int64_t first,
                             const void* x, int8_t* to) {
  const auto tiles = [](int64_t size) { return static_cast<unsigned>((size + kTile - 1) / kTile); };
  const dim3 grid(tiles(lines.padded_lines), tiles(lines.padded_depth), static_cast<unsigned>(lines.groups));
  launch(queue, lines_of_patches, grid, kThreads, lines, image, first, static_cast<const uint8_t*>(x), to);
}

ByteSumsLaunch find_byte_sums(DType y) {
  ByteSumsLaunch result = nullptr;
  with_element(Elements<int32_t, float, int8_t, uint8_t>{}, y,
               [&]<class Y>(std::type_identity<Y>) { result = launch_byte_sums<Y>; });
  return result;
}

}  // namespace onnxrun::cuda
