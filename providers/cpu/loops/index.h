// Reading of small integer tensors and checking of indices by kernels.
#pragma once

#include <cstdint>
#include <vector>

#include <onnxrun/provider.hpp>

#include "base/error.h"

namespace onnxrun::cpu {

// Element i of an int32 or int64 tensor.
inline int64_t int_at(const onnxrun_tensor& tensor, int64_t i) {
  return tensor.dtype == ONNXRUN_DTYPE_INT32 ? static_cast<const int32_t*>(tensor.data)[i]
                                             : static_cast<const int64_t*>(tensor.data)[i];
}

// All elements of an int32 or int64 tensor.
inline std::vector<int64_t> ints_of(const onnxrun_tensor& tensor) {
  std::vector<int64_t> result(static_cast<size_t>(provider::count(tensor)));
  for (size_t i = 0; i < result.size(); ++i) result[i] = int_at(tensor, static_cast<int64_t>(i));
  return result;
}

[[noreturn]] inline void fail_index(const char* op, int64_t index, int64_t axis, int64_t size) {
  if (size == 0)
    base::fail(base::Code::kRunFailed, "{}: index {} is out of range for axis {}, which has no elements", op, index,
               axis);
  base::fail(base::Code::kRunFailed,
             "{}: index {} is out of range for axis {}, which has {} elements (allowed: {} to {})", op, index, axis,
             size, -size, size - 1);
}

// The position in [0, size) that `index` in [-size, size) means; throws kRunFailed naming index, axis and range.
inline int64_t position(const char* op, int64_t index, int64_t axis, int64_t size) {
  if (index < -size || index >= size) [[unlikely]]
    fail_index(op, index, axis, size);
  return index < 0 ? index + size : index;
}

// Product of the dims in [begin, end).
inline int64_t product(std::span<const int64_t> dims, size_t begin, size_t end) {
  int64_t result = 1;
  for (size_t i = begin; i < end; ++i) result *= dims[i];
  return result;
}

}  // namespace onnxrun::cpu
