// The one way to start a kernel.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "cuda/device/queue.h"

namespace onnxrun::cuda {

constexpr int kThreads = 256;  // of a block, where nothing speaks for another number

// Arguments are converted to the kernel's parameters as in a call.
template <class... P>
void launch(const Queue& queue, void (*kernel)(P...), dim3 grid, dim3 block, std::type_identity_t<P>... arguments) {
  void* pointers[] = {const_cast<void*>(static_cast<const void*>(&arguments))...};
  queue.launched(queue.owner, cudaLaunchKernel(kernel, grid, block, pointers, 0, queue.stream));
}

// Blocks for a loop in which each thread takes every so-many-th of `count` items.
inline dim3 blocks_for(int64_t count, int threads = kThreads) {
  const int64_t blocks = (count + threads - 1) / threads;
  return dim3(static_cast<unsigned>(blocks < 1 ? 1 : blocks < 65536 ? blocks : 65536));
}

// The first item of this thread and the distance to its next.
__device__ inline int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

}  // namespace onnxrun::cuda
