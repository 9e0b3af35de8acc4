// Mixtures of experts: a thread a token to route, a block some rows of a projection for some items of one expert.
#include "cuda/device/mixture.h"

#include <cmath>

#include "cuda/device/code.h"
#include "cuda/device/divisor.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"
#include "cuda/device/runs.h"

namespace onnxrun::cuda {
namespace {

// NaN comes after all numbers.
__device__ bool likelier(float a, float b) { return a == a && (b != b || a > b); }

__global__ void route(Routing how, int64_t* chosen, float* shares) {
  for (int64_t token = first_item(); token < how.tokens; token += item_step()) {
    const auto score = [&](int64_t e) { return load_number<float>(how.scores, how.type, token * how.experts + e); };
    int64_t* mine = chosen + token * how.taken;
    for (int64_t k = 0; k < how.taken; ++k) {
      int64_t best = -1;
      for (int64_t e = 0; e < how.experts; ++e) {
        bool free = true;
        for (int64_t before = 0; before < k; ++before) free = free && mine[before] != e;
        if (free && (best < 0 || likelier(score(e), score(best)))) best = e;
      }
      mine[k] = best;
    }
    float largest = score(0);
    for (int64_t e = 1; e < how.experts; ++e) largest = likelier(score(e), largest) ? score(e) : largest;
    double total = 0, sum = 0;
    for (int64_t e = 0; how.weights == nullptr && e < how.experts; ++e) total += exp(score(e) - largest);
    const auto weight = [&](int64_t k) {
      if (how.weights != nullptr) return load_number<double>(how.weights, how.type, token * how.experts + mine[k]);
      return exp(static_cast<double>(score(mine[k])) - static_cast<double>(largest)) / total;
    };
    for (int64_t k = 0; k < how.taken; ++k) sum += weight(k);
    if (!how.normalize) sum = 1;
    for (int64_t k = 0; k < how.taken; ++k)
      shares[token * how.taken + k] = sum == 0 ? 0.0f : static_cast<float>(weight(k) / sum);
  }
}

// Weight i of row `at` of all experts' rows, which is row `n` of expert `e`.
__device__ float weight_of(const ExpertProduct& how, int64_t e, int64_t n, int64_t i) {
  const int64_t at = e * how.rows + n;
  if (how.scales == nullptr) return load_number<float>(how.weights, how.weight_type, at * how.columns + i);
  const int64_t blocks = how.block == 0 ? 1 : (how.columns + how.block - 1) / how.block;
  const int64_t k = how.block == 0 ? 0 : i / how.block;
  auto zero = static_cast<float>(1u << (how.bits - 1));
  if (how.zeros != nullptr) {
    const int64_t row = how.block == 0 ? e * ((how.rows * how.bits + 7) / 8) : at * ((blocks * how.bits + 7) / 8);
    zero = static_cast<float>(code_at(how.zeros + row, static_cast<int>(how.bits), how.block == 0 ? n : k));
  }
  const auto* packed = static_cast<const uint8_t*>(how.weights) + at * ((how.columns * how.bits + 7) / 8);
  return (static_cast<float>(code_at(packed, static_cast<int>(how.bits), i)) - zero) *
         load_number<float>(how.scales, how.scale_type, at * blocks + k);
}

__global__ void expert_product(ExpertProduct how, const void* x, float* y) {
  const int64_t lane = threadIdx.x % 32, warps = static_cast<int64_t>(gridDim.x) * (blockDim.x / 32);
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; at < how.items * how.rows;
       at += warps) {
    const int64_t item = at / how.rows, n = at % how.rows, e = how.chosen[item];
    float sum = 0;
    for (int64_t i = lane; i < how.columns; i += 32)
      sum += load_number<float>(x, how.x_type, item / how.shared * how.columns + i) * weight_of(how, e, n, i);
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    if (lane != 0) continue;
    if (how.bias != nullptr) sum += load_number<float>(how.bias, how.bias_type, e * how.rows + n);
    y[at] = sum;
  }
}

constexpr int kWorkers = 128;

__global__ void count_items(int64_t items, const int64_t* chosen, int32_t* experts) {
  for (int64_t item = first_item(); item < items; item += item_step()) atomicAdd(&experts[chosen[item]], 1);
}

// Of one block. `experts` are the numbers of their items before, and where these go after.
__global__ void lay_tiles(int64_t count, ExpertTiles tiles) {
  __shared__ int32_t used;
  if (threadIdx.x == 0) {
    int32_t items = 0, tile = 0;
    for (int64_t e = 0; e < count; ++e) {
      const int32_t end = items + tiles.experts[e];
      tiles.experts[e] = items;
      for (; items < end; items += kTileItems, ++tile) {
        tiles.tiles[3 * tile] = static_cast<int32_t>(e);
        tiles.tiles[3 * tile + 1] = items;
        tiles.tiles[3 * tile + 2] = items + kTileItems < end ? items + static_cast<int32_t>(kTileItems) : end;
      }
      items = end;
    }
    used = tile;
  }
  __syncthreads();
  for (int64_t tile = used + static_cast<int64_t>(threadIdx.x); tile < tiles.count; tile += blockDim.x)
    for (int i = 0; i < 3; ++i) tiles.tiles[3 * tile + i] = 0;
}

// The order within an expert follows no rule, and no result follows it.
__global__ void order_items(int64_t items, const int64_t* chosen, ExpertTiles tiles) {
  for (int64_t item = first_item(); item < items; item += item_step())
    tiles.order[atomicAdd(&tiles.experts[chosen[item]], 1)] = static_cast<int32_t>(item);
}

// Elements k to k + kCount of row n of expert e, those beyond the row's end 0. Bits are those of a code, or 0 for floats; a word of codes has one
// scale, and rows of codes are whole words.
template <int kBits, int kCount>
__device__ void load_weights(const ExpertProduct& how, int64_t e, int64_t n, int64_t k, float (&to)[kCount]) {
  const int64_t line = e * how.rows + n;
  if constexpr (kBits == 0) {
    load_run(how.weights, how.weight_type, line * how.columns + k, how.columns - k, to);
  } else {
    constexpr uint32_t kMask = (1u << kBits) - 1;
    const int block = how.block == 0 ? 0 : static_cast<int>(k) / static_cast<int>(how.block);
    const int64_t blocks = how.block == 0 ? 1 : (how.columns + how.block - 1) / how.block;
    const float scale = load_number<float>(how.scales, how.scale_type, line * blocks + block);
    auto zero = static_cast<float>(1u << (kBits - 1));
    if (how.zeros != nullptr) {
      const int64_t row = how.block == 0 ? e * ((how.rows * kBits + 7) / 8) : line * ((blocks * kBits + 7) / 8);
      zero = static_cast<float>(code_at(how.zeros + row, kBits, how.block == 0 ? n : block));
    }
    const auto* words = static_cast<const uint32_t*>(how.weights) + line * (how.columns * kBits / 32);
    const uint32_t word = words[k / kCount];
#pragma unroll
    for (int i = 0; i < kCount; ++i) to[i] = (static_cast<float>(word >> (i * kBits) & kMask) - zero) * scale;
  }
}

// A block of threads kColumns rows of weights and a tile of kItems items, or an item where there are no tiles.
template <int kBits, int kItems>
__global__ void expert_rows(ExpertProduct how, const void* x, float* y) {
  constexpr int kColumns = 4, kCount = kBits == 0 ? 4 : 32 / kBits, kSums = kItems * kColumns;
  __shared__ float parts[kWorkers / 32][kSums];
  const int64_t tiles = kItems == 1 ? how.items : how.tiles.count;
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * kColumns;
  for (int64_t tile = blockIdx.y; tile < tiles; tile += gridDim.y) {
    int64_t expert, first = tile, end = tile + 1;
    if constexpr (kItems == 1) {
      expert = how.chosen[tile];
    } else {
      expert = how.tiles.tiles[3 * tile], first = how.tiles.tiles[3 * tile + 1], end = how.tiles.tiles[3 * tile + 2];
      if (first == end) continue;
    }
    const auto item_at = [&](int i) {
      const int64_t place = first + i < end ? first + i : end - 1;
      return kItems == 1 ? place : static_cast<int64_t>(how.tiles.order[place]);
    };
    float sums[kSums] = {};
    for (int64_t k = threadIdx.x * kCount; k < how.columns; k += blockDim.x * kCount) {
      float weights[kColumns][kCount];
      // Rows and items that are not there are the last one again, and not written.
#pragma unroll
      for (int c = 0; c < kColumns; ++c)
        load_weights<kBits, kCount>(how, expert, first_row + c < how.rows ? first_row + c : how.rows - 1, k,
                                    weights[c]);
#pragma unroll
      for (int i = 0; i < kItems; ++i) {
        float values[kCount];
        load_run(x, how.x_type, item_at(i) / how.shared * how.columns + k, how.columns - k, values);
#pragma unroll
        for (int c = 0; c < kColumns; ++c)
#pragma unroll
          for (int v = 0; v < kCount; ++v) sums[i * kColumns + c] += values[v] * weights[c][v];
      }
    }
    const float sum_of_lane = sum_lanes<kSums>(sums);
    const unsigned lane = threadIdx.x % 32;
    if (lane % (32 / kSums) == 0) parts[threadIdx.x / 32][lane / (32 / kSums)] = sum_of_lane;
    __syncthreads();
    const int64_t row = first_row + threadIdx.x % kColumns;
    if (threadIdx.x < kSums && row < how.rows && first + threadIdx.x / kColumns < end) {
      float sum = 0;
      for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) sum += parts[warp][threadIdx.x];
      if (how.bias != nullptr) sum += load_number<float>(how.bias, how.bias_type, expert * how.rows + row);
      y[item_at(static_cast<int>(threadIdx.x) / kColumns) * how.rows + row] = sum;
    }
    __syncthreads();  // before the next tile's parts are written
  }
}

template <int kBits>
void launch_expert_rows(const Queue& queue, const ExpertProduct& how, const void* x, float* y) {
  constexpr int64_t kCount = kBits == 0 ? 4 : 32 / kBits;
  const bool tiled = how.tiles.count > 0;
  const int64_t tiles = tiled ? how.tiles.count : how.items, runs = (how.columns + kCount - 1) / kCount;
  const dim3 grid(static_cast<unsigned>((how.rows + 3) / 4), static_cast<unsigned>(tiles < 65535 ? tiles : 65535));
  launch(queue, tiled ? expert_rows<kBits, kTileItems> : expert_rows<kBits, 1>, grid,
         static_cast<unsigned>(runs < kWorkers ? (runs + 31) / 32 * 32 : kWorkers), how, x, y);
}

__device__ float swiglu(const Opening& how, float gate, float linear) {
  if (gate > how.limit) gate = how.limit;
  if (linear > how.limit) linear = how.limit;
  if (linear < -how.limit) linear = -how.limit;
  return gate / (1.0f + exp(-how.alpha * gate)) * (linear + how.beta);
}

__device__ float activated(ExpertOpening activation, float x) {
  switch (activation) {
    case ExpertOpening::kRelu: return x < 0.0f ? 0.0f : x;
    case ExpertOpening::kGelu: return 0.5f * x * (1.0f + tanh(0.7978845608028654f * (x + 0.044715f * x * x * x)));
    case ExpertOpening::kSilu: return x / (1.0f + exp(-x));
    default: return x;
  }
}

__global__ void open(Opening how, const float* first, const float* third, float* opened) {
  const bool fused = how.activation == ExpertOpening::kSwiglu && how.fusion != 0;
  for (int64_t at = first_item(); at < how.items * how.inner; at += item_step()) {
    const int64_t i = at % how.inner;
    const float* row = first + at / how.inner * how.inner * (fused ? 2 : 1);
    if (how.activation != ExpertOpening::kSwiglu)
      opened[at] = activated(how.activation, row[i]) * (third != nullptr ? third[at] : 1.0f);
    else if (how.fusion == 1) opened[at] = swiglu(how, row[2 * i], row[2 * i + 1]);
    else opened[at] = swiglu(how, row[i], how.fusion == 2 ? row[how.inner + i] : third[at]);
  }
}

__global__ void join(int64_t tokens, int64_t taken, int64_t size, const float* shares, const float* x, DType type,
                     void* y) {
  for (int64_t at = first_item(); at < tokens * size; at += item_step()) {
    const int64_t token = at / size;
    float sum = 0;
    for (int64_t k = token * taken; k < (token + 1) * taken; ++k) sum += shares[k] * x[k * size + at % size];
    store_number(y, type, at, sum);
  }
}

}  // namespace

void launch_route(const Queue& queue, const Routing& how, int64_t* chosen, float* shares) {
  if (how.tokens > 0) launch(queue, route, blocks_for(how.tokens, 32), 32, how, chosen, shares);
}

void launch_expert_tiles(const Queue& queue, int64_t items, int64_t experts, const int64_t* chosen,
                         const ExpertTiles& tiles) {
  launch(queue, count_items, blocks_for(items), kThreads, items, chosen, tiles.experts);
  launch(queue, lay_tiles, 1, kThreads, experts, tiles);
  launch(queue, order_items, blocks_for(items), kThreads, items, chosen, tiles);
}

void launch_expert_product(const Queue& queue, const ExpertProduct& how, const void* x, float* y) {
  const int64_t count = how.items * how.rows;
  if (count == 0) return;
  if (how.scales == nullptr) return launch_expert_rows<0>(queue, how, x, y);
  const bool words = how.columns * how.bits % 32 == 0 && how.block * how.bits % 32 == 0 && how.columns < kNarrow;
  if (words && how.bits == 2) return launch_expert_rows<2>(queue, how, x, y);
  if (words && how.bits == 4) return launch_expert_rows<4>(queue, how, x, y);
  if (words && how.bits == 8) return launch_expert_rows<8>(queue, how, x, y);
  launch(queue, expert_product, blocks_for(count, 4), 128, how, x, y);
}

void launch_open(const Queue& queue, const Opening& how, const float* first, const float* third, float* opened) {
  const int64_t count = how.items * how.inner;
  if (count > 0) launch(queue, open, blocks_for(count), kThreads, how, first, third, opened);
}

void launch_join(const Queue& queue, int64_t tokens, int64_t taken, int64_t size, const float* shares, const float* x,
                 DType type, void* y) {
  if (tokens * size > 0)
    launch(queue, join, blocks_for(tokens * size), kThreads, tokens, taken, size, shares, x, type, y);
}

}  // namespace onnxrun::cuda
