// How a kernel tells that its data is bad: by a number that the host reads when it waits.
#pragma once

#include <cuda_runtime.h>

namespace onnxrun::cuda {

struct Report {
  int* code = nullptr;
  int number = 0;
};

}  // namespace onnxrun::cuda
