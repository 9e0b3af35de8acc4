// What the threads of a block find out together.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace onnxrun::cuda {

// Combines one value of each thread of a one-dimensional block of one warp or of up to 32 whole ones; every thread gets the result. T takes at
// most 8 bytes. All threads must call.
template <class T, class F>
__device__ inline T combine_block(T value, T start, F f) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value = f(value, __shfl_xor_sync(0xffffffffu, value, lanes));
  if (blockDim.x <= 32) return value;
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

// Threads of the block for rows of `size` elements.
inline unsigned threads_for_row(int64_t size) { return size <= 1024 ? 32 : 256; }
// Blocks for `rows` rows, each block taking every so-many-th.
inline dim3 blocks_for_rows(int64_t rows) { return dim3(static_cast<unsigned>(rows < 65536 ? rows : 65536)); }

}  // namespace onnxrun::cuda
