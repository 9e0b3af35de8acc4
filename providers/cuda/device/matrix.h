// Determinants of square matrices.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// Of `count` matrices [size, size] of a float type; `work` has room for a double for each element.
void launch_determinant(const Queue& queue, int64_t count, int64_t size, base::DType type, const void* x, double* work,
                        void* y);

}  // namespace onnxrun::cuda
