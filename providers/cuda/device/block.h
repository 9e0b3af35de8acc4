// What the threads of a block find out together, and which of them take a row.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/device/element.h"

namespace onnxrun::cuda {

// Combines one value of each of the threads that differ in threadIdx.x alone; each of them gets the result. These are a power of two below 32, with
// as many of them in a block as make whole warps, or whole warps, up to 32, which are then all the block. T takes at most 8 bytes. All threads must call.
template <class T, class F>
__device__ inline T combine_block(T value, T start, F f) {
  if (blockDim.x < 32) {
    for (unsigned lanes = blockDim.x / 2; lanes > 0; lanes /= 2)
      value = f(value, __shfl_xor_sync(0xffffffffu, value, static_cast<int>(lanes)));
    return value;
  }
  for (int lanes = 16; lanes > 0; lanes /= 2) value = f(value, __shfl_xor_sync(0xffffffffu, value, lanes));
  if (blockDim.x == 32) return value;
  __shared__ T parts[32];
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (lane == 0) parts[warp] = value;
  __syncthreads();
  value = lane < blockDim.x / 32 ? parts[lane] : start;
  for (int lanes = 16; lanes > 0; lanes /= 2) value = f(value, __shfl_xor_sync(0xffffffffu, value, lanes));
  __syncthreads();  // before the next call writes to `parts`
  return value;
}

template <class T>
__device__ inline T sum_block(T value) {
  return combine_block(value, T(0), [](T a, T b) { return a + b; });
}
// A NaN is kept.
template <class T>
__device__ inline T max_block(T value, T start) {
  return combine_block(value, start, [](T a, T b) { return a > b || a != a ? a : b; });
}

// Threads of a block that takes one row of `size` elements.
inline unsigned threads_for_row(int64_t size) { return size <= 256 ? 32 : size <= 1024 ? 128 : 256; }
// Blocks for `rows` rows, each block taking every so-many-th.
inline dim3 blocks_for_rows(int64_t rows) { return dim3(static_cast<unsigned>(rows < 65536 ? rows : 65536)); }

constexpr int kHeld = 8;  // elements of a row that a thread keeps, where all its threads together can keep them
constexpr int kMaxRowThreads = 512;  // of row_block

// A block for rows of `size` elements: x counts the threads of a row, y the rows, several where they are short.
inline dim3 row_block(int64_t size) {
  unsigned threads = 1;
  while (threads < 32 && int64_t{threads} * kHeld < size) threads *= 2;
  if (threads < 32 || size <= 32 * kHeld) return dim3(threads, 128 / threads);
  while (threads < kMaxRowThreads && int64_t{threads} * kHeld < size) threads *= 2;
  return dim3(threads);
}
// A block for rows whose neighbours lie next to each other in memory, their own elements far apart: a thread a row.
inline dim3 neighbours_block() { return dim3(1, 128); }
inline bool is_held(int64_t size, dim3 block) { return size <= int64_t{block.x} * kHeld; }

// Blocks for `rows` rows in such a block; each thread's first row, which may lie beyond the last one, and the distance to its next. All threads of a
// block are to go on while `row - threadIdx.y` is a row.
inline dim3 row_grid(int64_t rows, dim3 block) { return blocks_for_rows((rows + block.y - 1) / block.y); }
__device__ inline int64_t first_row() { return static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y; }
__device__ inline int64_t row_step() { return static_cast<int64_t>(gridDim.x) * blockDim.y; }

// Those of a row from `first` on, as far as a thread looks at once.
__device__ inline int elements_left(int64_t size, int64_t first) {
  return size - first < (1 << 20) ? static_cast<int>(size - first) : 1 << 20;
}
// Reads elements `step` apart of a row, the n-th of them `n * blockDim.x` after element `first`, T{} beyond the row: all before the first is waited for.
template <class T>
__device__ inline void read_elements(T (&to)[kHeld], const T* from, int64_t step, int64_t size, int64_t first) {
  const int left = elements_left(size, first), threads = static_cast<int>(blockDim.x);
  if (size == 0) step = 0;  // from nothing there is nowhere to go
  const T* at = from + first * step;
  for (int n = 0; n < kHeld; ++n, at += threads * step) to[n] = n * threads < left ? *at : T{};
}
// Calls f(element, i, n) for those within the row.
template <class T, class F>
__device__ inline void each_element(const T (&elements)[kHeld], int64_t size, int64_t first, F f) {
  const int left = elements_left(size, first), threads = static_cast<int>(blockDim.x);
  for (int n = 0; n < kHeld; ++n)
    if (n * threads < left) f(elements[n], first + n * threads, n);
}
// The same for all elements of a row that are this thread's.
template <class T, class F>
__device__ inline void each_of_row(const T* from, int64_t step, int64_t size, F f) {
  for (int64_t first = threadIdx.x; first < size; first += int64_t{kHeld} * blockDim.x) {
    T elements[kHeld];
    read_elements(elements, from, step, size, first);
    each_element(elements, size, first, [&](T value, int64_t i, int n) { f(widen(value), i, n); });
  }
}

// A thread's elements of a row: every blockDim.x-th, kept in registers or read each time.
template <class T, class W, bool kKept>
class Share {
 public:
  // Of `size` elements `step` apart; no more than kHeld a thread where they are kept.
  __device__ Share(const T* from, int64_t step, int64_t size) : from_(from), step_(step), size_(size) {
    if constexpr (kKept) {
      T read[kHeld];
      read_elements(read, from, step, size, threadIdx.x);
      for (int n = 0; n < kHeld; ++n) held_[n] = static_cast<W>(widen(read[n]));
    }
  }
  // Calls f(element, i, n) for element i of the row, the n-th of this thread where they are kept.
  template <class F>
  __device__ void each(F f) const {
    if constexpr (kKept) each_element(held_, size_, threadIdx.x, f);
    else each_of_row(from_, step_, size_, [&](W value, int64_t i, int n) { f(value, i, n); });
  }
  // Element i of the row, the n-th of this thread.
  __device__ W at(int64_t i, int n) const {
    if constexpr (kKept) return held_[n];
    else return static_cast<W>(widen(from_[i * step_]));
  }

 private:
  const T* from_;
  int64_t step_, size_;
  W held_[kKept ? kHeld : 1];
};

}  // namespace onnxrun::cuda
