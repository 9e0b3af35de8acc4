// Where kernels are launched: a stream, and what to call for each launch.
#pragma once

#include <cuda_runtime.h>

namespace onnxrun::cuda {

struct Queue {
  cudaStream_t stream = nullptr;
  void* owner = nullptr;
  void (*launched)(void* owner, cudaError_t error) = nullptr;  // counts the launch; throws where it failed
};

}  // namespace onnxrun::cuda
