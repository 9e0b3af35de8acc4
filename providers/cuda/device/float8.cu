// Matrices of float8e4m3fn and float8e5m2 made ready for products, and what becomes of the sums.
#include "cuda/device/float8.h"

#include <cmath>

#include "cuda/device/element.h"
#include "cuda/device/float8_code.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"
#include "cuda/device/pack.h"

namespace onnxrun::cuda {
namespace {

constexpr int kChunk = 16;  // bytes that a thread writes at once
constexpr int kWords = kChunk / 4;
using Chunk = Pack<uint32_t, kWords>;

// A thread a chunk.
__global__ void pad_lines(Float8Lines how, const uint8_t* __restrict__ from, uint8_t* __restrict__ to) {
  const int64_t chunks = how.padded_depth / kChunk;
  for (int64_t i = first_item(); i < how.padded_lines * chunks; i += item_step()) {
    const int64_t line = i / chunks, k = i % chunks * kChunk;
    const uint8_t* at = from + line * how.depth + k;
    Chunk chunk{};
    if (line < how.lines && k + kChunk <= how.depth && reinterpret_cast<uintptr_t>(at) % kChunk == 0)
      chunk = *reinterpret_cast<const Chunk*>(at);
    else if (line < how.lines)
      for (int b = 0; b < kChunk; ++b)
        if (k + b < how.depth) chunk.at[b / 4] |= static_cast<uint32_t>(at[b]) << (b % 4 * 8);
    *reinterpret_cast<Chunk*>(to + i * kChunk) = chunk;
  }
}

constexpr int kTile = 64;                        // lines, and elements of the depth, of a block
constexpr int kEach = kTile * kTile / kThreads;  // bytes that a thread reads
constexpr int kLineWords = kTile / 4 + 1;        // a word more than bytes need, so that lines begin in different banks

// A block reads along the lines and writes along the depth, a tile of both.
__global__ void turn_lines(Float8Lines how, const uint8_t* __restrict__ from, uint8_t* __restrict__ to,
                           int64_t depth_tiles, int64_t tiles) {
  __shared__ uint32_t tile[kTile][kLineWords];
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const int64_t first_line = t / depth_tiles * kTile, first_depth = t % depth_tiles * kTile;
    const int column = thread % kTile;
    auto* own = reinterpret_cast<uint8_t*>(tile[column]);
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
      const int row = thread / kTile + i * (kThreads / kTile);
      const int64_t line = first_line + column, k = first_depth + row;
      own[row] = line < how.lines && k < how.depth ? from[k * how.lines + line] : uint8_t{0};
    }
    __syncthreads();
    const int row = thread / (kTile / kChunk), k = thread % (kTile / kChunk) * kChunk;
    if (first_line + row < how.padded_lines && first_depth + k < how.padded_depth) {
      Chunk chunk;
      for (int i = 0; i < kWords; ++i) chunk.at[i] = tile[row][k / 4 + i];
      *reinterpret_cast<Chunk*>(to + (first_line + row) * how.padded_depth + first_depth + k) = chunk;
    }
    __syncthreads();  // before the tile is written again
  }
}

// To float8e5m2 where `wide`, else to float8e4m3fn.
__device__ uint8_t encoded(float value, bool wide) {
  return wide ? float8_of<DType::kFloat8E5M2>(value, true).code : float8_of<DType::kFloat8E4M3FN>(value, true).code;
}

// `sums` may be y.
template <class Y>
__global__ void end_sums(Float8End how, Divisor columns, Walk<1> addends, bool wide, const float* sums, Y* y) {
  const float a_scale = how.a_scale == nullptr ? 1.0f : *how.a_scale;
  const float y_scale = how.y_scale == nullptr ? 1.0f : *how.y_scale;
  for (int64_t i = first_item(); i < how.rows * how.columns; i += item_step()) {
    int64_t column;
    const int64_t row = columns.divide(i, column), at = how.first * how.columns + i;
    float value = sums[row * how.sums_row + column] * a_scale;
    if (how.b_scale != nullptr) value *= how.b_scale[column * how.b_step];
    if (how.c != nullptr) value += how.beta * load_number<float>(how.c, how.c_type, addends.offset(at));
    if (how.activation == Float8Activation::kRelu && value < 0) value = 0;
    if (how.activation == Float8Activation::kGelu)
      value = value / (1.0f + expf(-1.59576912160573071176f * (value + 0.044715f * value * value * value)));
    value *= y_scale;
    if constexpr (std::is_same_v<Y, uint8_t>) y[at] = encoded(value, wide);
    else y[at] = narrow<Y>(value);
  }
}

template <class Y>
void launch_end(const Queue& queue, const Float8End& how, bool wide, const float* sums, void* y) {
  const int64_t count = how.rows * how.columns;
  launch(queue, end_sums<Y>, blocks_for(count), kThreads, how, Divisor(how.columns, count), Walk<1>(how.c_walk), wide,
         sums, static_cast<Y*>(y));
}

}  // namespace

void launch_float8_lines(const Queue& queue, const Float8Lines& how, const void* from, void* to) {
  const auto* source = static_cast<const uint8_t*>(from);
  auto* target = static_cast<uint8_t*>(to);
  if (!how.turned) return launch(queue, pad_lines, blocks_for(how.bytes() / kChunk), kThreads, how, source, target);
  const auto tiles_of = [](int64_t size) { return (size + kTile - 1) / kTile; };
  const int64_t depth_tiles = tiles_of(how.padded_depth), tiles = tiles_of(how.padded_lines) * depth_tiles;
  launch(queue, turn_lines, blocks_for(tiles, 1), kThreads, how, source, target, depth_tiles, tiles);
}

void launch_float8_end(const Queue& queue, const Float8End& how, const float* sums, DType y_type, void* y) {
  switch (y_type) {
    case DType::kFloat16: return launch_end<__half>(queue, how, false, sums, y);
    case DType::kBfloat16: return launch_end<__nv_bfloat16>(queue, how, false, sums, y);
    case DType::kFloat8E4M3FN: return launch_end<uint8_t>(queue, how, false, sums, y);
    case DType::kFloat8E5M2: return launch_end<uint8_t>(queue, how, true, sums, y);
    default: return launch_end<float>(queue, how, false, sums, y);
  }
}

}  // namespace onnxrun::cuda
