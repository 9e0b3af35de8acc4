// How a kernel walks tensors of any strides: dims shared by N operands, each with its own steps.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace onnxrun::cuda {

constexpr int kMaxAxes = 8;  // after neighbouring axes that can be walked as one were joined

template <int N>
struct Axes {
  int rank = 0;
  int64_t count = 1;
  int64_t dims[kMaxAxes];
  int64_t steps[N][kMaxAxes];  // in elements

  // Offsets of the `index`-th element in row-major order of the dims.
  __device__ void offsets(int64_t index, int64_t (&out)[N]) const {
    for (int k = 0; k < N; ++k) out[k] = 0;
    for (int d = rank - 1; d > 0; --d) {
      const int64_t next = index / dims[d];
      const int64_t at = index - next * dims[d];
      for (int k = 0; k < N; ++k) out[k] += at * steps[k][d];
      index = next;
    }
    if (rank > 0)
      for (int k = 0; k < N; ++k) out[k] += index * steps[k][0];
  }
};

}  // namespace onnxrun::cuda
