// Small lists of integers that kernels read on the host.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/kernel.h"

namespace onnxrun::cuda {

// The elements of an int16, int32 or int64 tensor in host memory.
inline std::vector<int64_t> ints_of(const onnxrun_tensor& tensor) {
  const auto count = static_cast<size_t>(provider::count(tensor));
  std::vector<int64_t> result(count);
  for (size_t i = 0; i < count; ++i)
    result[i] = dtype(tensor) == DType::kInt32   ? static_cast<const int32_t*>(tensor.data)[i]
                : dtype(tensor) == DType::kInt16 ? static_cast<const int16_t*>(tensor.data)[i]
                                                 : static_cast<const int64_t*>(tensor.data)[i];
  return result;
}

// Product of dims [from, to).
inline int64_t product(std::span<const int64_t> dims, size_t from, size_t to) {
  int64_t result = 1;
  for (size_t d = from; d < to; ++d) result *= dims[d];
  return result;
}

}  // namespace onnxrun::cuda
