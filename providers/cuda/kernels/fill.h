// Filling device memory.
#pragma once

#include "cuda/host/check.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {

inline void fill_zero(Stream& stream, void* memory, size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemsetAsync(memory, 0, bytes, stream.raw()), "clearing memory");
  stream.count_work();
}

}  // namespace onnxrun::cuda
