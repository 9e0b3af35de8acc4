// Products with weights of 2, 4 or 8 bits: a block of threads a few columns, or the weights unpacked.
#include "cuda/device/n_bits.h"

#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/runs.h"

namespace onnxrun::cuda {
namespace {

// The scale and the zero point of a block of weights.
template <class T, int kBits>
struct Block {
  float scale, zero;

  __device__ Block(const NBitsProduct& how, int64_t row, int64_t block)
      : scale(widen(static_cast<const T*>(how.scales)[row * how.blocks + block])),
        zero(static_cast<float>(1u << (kBits - 1))) {
    if (how.zeros != nullptr) {
      const auto bit = static_cast<int>(block % (8 / kBits)) * kBits;
      const unsigned byte = how.zeros[row * how.zero_row_bytes + block / (8 / kBits)];
      zero = static_cast<float>(byte >> bit & ((1u << kBits) - 1));
    } else if (how.float_zeros != nullptr) {
      zero = widen(static_cast<const T*>(how.float_zeros)[row * how.blocks + block]);
    }
  }
};

__device__ inline int64_t group_of(const NBitsProduct& how, int64_t k) {
  const int64_t block = how.groups[k];
  if (block >= 0 && block < how.blocks) return block;
  set(how.report);
  return 0;
}

// The weights of a word: elements of the depth from k on, of which those beyond its end are 0. A word never spans two blocks, but where groups say so.
template <class T, int kBits>
__device__ void unpack_word(const NBitsProduct& how, uint32_t word, int64_t row, int64_t k, float (&to)[32 / kBits]) {
  constexpr int kCount = 32 / kBits;
  constexpr uint32_t kMask = (1u << kBits) - 1;
  if (how.groups == nullptr) {
    const Block<T, kBits> block(how, row, static_cast<int>(k) / static_cast<int>(how.block));
#pragma unroll
    for (int i = 0; i < kCount; ++i)
      to[i] = (static_cast<float>(word >> (i * kBits) & kMask) - block.zero) * block.scale;
  } else {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const Block<T, kBits> block(how, row, k + i < how.k ? group_of(how, k + i) : 0);
      to[i] = (static_cast<float>(word >> (i * kBits) & kMask) - block.zero) * block.scale;
    }
  }
  if (k + kCount > how.k)
#pragma unroll
    for (int i = 0; i < kCount; ++i)
      if (k + i >= how.k) to[i] = 0;
}

__device__ inline uint32_t word_at(const NBitsProduct& how, int64_t row, int64_t word) {
  return reinterpret_cast<const uint32_t*>(how.weights + row * how.row_bytes)[word];
}

constexpr int kWorkers = 128;  // threads of a block, at most

// A block of threads kColumns columns and kRows rows: each weight is read and unpacked once for all rows.
template <class T, int kBits, int kRows, int kColumns>
__global__ void few_rows(const T* __restrict__ a, T* __restrict__ y, NBitsProduct how) {
  constexpr int kCount = 32 / kBits;
  constexpr int kSums = kRows * kColumns;
  __shared__ float parts[kWorkers / 32][kSums];
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kRows;
  const bool aligned = how.k % kWide<T, kCount> == 0;
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * kColumns; first < how.n;
       first += static_cast<int64_t>(gridDim.x) * kColumns) {
    float sums[kSums] = {};
    const int64_t words = (how.k + kCount - 1) / kCount;
    for (int64_t at = threadIdx.x; at < words; at += blockDim.x) {
      const int64_t k = at * kCount;
      // Columns and rows that are not there are the last one again, and not written.
      uint32_t packed[kColumns];
#pragma unroll
      for (int c = 0; c < kColumns; ++c) packed[c] = word_at(how, first + c < how.n ? first + c : how.n - 1, at);
      float weights[kColumns][kCount];
#pragma unroll
      for (int c = 0; c < kColumns; ++c)
        unpack_word<T, kBits>(how, packed[c], first + c < how.n ? first + c : how.n - 1, k, weights[c]);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const int64_t row = first_row + r < how.m ? first_row + r : how.m - 1;
        float values[kCount];
        load_run(a + row * how.k + k, how.k - k, aligned && k + kCount <= how.k, values);
#pragma unroll
        for (int c = 0; c < kColumns; ++c)
#pragma unroll
          for (int i = 0; i < kCount; ++i) sums[r * kColumns + c] += values[i] * weights[c][i];
      }
    }
    const float sum_of_lane = sum_lanes<kSums>(sums);
    const unsigned lane = threadIdx.x % 32;
    if (lane % (32 / kSums) == 0) parts[threadIdx.x / 32][lane / (32 / kSums)] = sum_of_lane;
    __syncthreads();
    if (threadIdx.x < kSums) {
      const int64_t row = first_row + threadIdx.x / kColumns, column = first + threadIdx.x % kColumns;
      if (row < how.m && column < how.n) {
        float sum = 0;
        for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) sum += parts[warp][threadIdx.x];
        if (how.bias != nullptr) sum += static_cast<float>(widen(static_cast<const T*>(how.bias)[column]));
        y[row * how.n + column] = narrow<T>(sum);
      }
    }
    __syncthreads();  // before the next columns' parts are written
  }
}

// A thread a word.
template <class T, int kBits>
__global__ void unpack(NBitsProduct how, int64_t first, uint32_t count, T* __restrict__ to) {
  constexpr int kCount = 32 / kBits;
  const auto words = static_cast<uint32_t>((how.k + kCount - 1) / kCount);
  const bool aligned = how.k % kWide<T, kCount> == 0;
  for (uint32_t item = blockIdx.x * blockDim.x + threadIdx.x; item < count * words; item += gridDim.x * blockDim.x) {
    const uint32_t row = item / words, at = item - row * words;
    const int64_t k = static_cast<int64_t>(at) * kCount;
    float weights[kCount];
    unpack_word<T, kBits>(how, word_at(how, first + row, at), first + row, k, weights);
    store_run(to + row * how.k + k, how.k - k, aligned && k + kCount <= how.k, weights);
  }
}

template <class T, int kBits>
void launch_few_rows(const Queue& queue, const NBitsProduct& how, const T* a, T* y) {
  const auto start = [&]<int kRows>(std::integral_constant<int, kRows>) {
    constexpr int kColumns = 4;
    const dim3 grid(blocks_for(how.n, kColumns).x, static_cast<unsigned>((how.m + kRows - 1) / kRows));
    const int64_t words = (how.k * kBits + 31) / 32;
    const int64_t workers = words < kWorkers ? (words + 31) / 32 * 32 : kWorkers;
    launch(queue, few_rows<T, kBits, kRows, kColumns>, grid, static_cast<unsigned>(workers), a, y, how);
  };
  if (how.m == 1) start(std::integral_constant<int, 1>{});
  else if (how.m <= 4) start(std::integral_constant<int, 4>{});
  else start(std::integral_constant<int, kFewRows>{});
}

template <class T, class F>
void with_bits(int64_t bits, F&& f) {
  if (bits == 2) f(std::integral_constant<int, 2>{});
  else if (bits == 4) f(std::integral_constant<int, 4>{});
  else f(std::integral_constant<int, 8>{});
}

template <class T>
void launch_product(const Queue& queue, const NBitsProduct& how, const void* a, void* y) {
  constexpr int64_t kMostRows = 65535 * kFewRows;  // the grid's second dimension
  for (int64_t first = 0; how.n > 0 && first < how.m; first += kMostRows) {
    NBitsProduct part = how;
    part.m = how.m - first < kMostRows ? how.m - first : kMostRows;
    with_bits<T>(how.bits, [&]<int kBits>(std::integral_constant<int, kBits>) {
      launch_few_rows<T, kBits>(queue, part, static_cast<const T*>(a) + first * how.k,
                                static_cast<T*>(y) + first * how.n);
    });
  }
}

template <class T>
void launch_unpack(const Queue& queue, const NBitsProduct& how, int64_t first, int64_t n, void* to) {
  const int64_t words = (how.k * how.bits + 31) / 32, most = (int64_t{1} << 30) / words;
  const int64_t step = most < 1 ? 1 : most;
  for (int64_t done = 0; done < n; done += step) {
    const int64_t count = n - done < step ? n - done : step;
    with_bits<T>(how.bits, [&]<int kBits>(std::integral_constant<int, kBits>) {
      launch(queue, unpack<T, kBits>, blocks_for(count * words), kThreads, how, first + done,
             static_cast<uint32_t>(count), static_cast<T*>(to) + done * how.k);
    });
  }
}

}  // namespace

NBitsLaunches find_n_bits(DType type) {
  NBitsLaunches result;
  with_element(Elements<float, __half, __nv_bfloat16>{}, type, [&]<class T>(std::type_identity<T>) {
    result = {launch_product<T>, launch_unpack<T>};
  });
  return result;
}

}  // namespace onnxrun::cuda
