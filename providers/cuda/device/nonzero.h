// NonZero: how many elements are not zero, and where they are.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

constexpr int kNonZeroPieces = 256;

// Counts the elements of each of kNonZeroPieces equal pieces: starts[p] is how many come before piece p, starts[kNonZeroPieces] how many there are.
using NonZeroCount = void (*)(const Queue& queue, int64_t count, const void* x, int64_t* starts);
// Writes the coordinates of the i-th one to y[axis * found + i]. `dims` lie on the device.
using NonZeroWrite = void (*)(const Queue& queue, int64_t count, int rank, const int64_t* dims, int64_t found,
                              const int64_t* starts, const void* x, int64_t* y);
NonZeroCount find_nonzero_count(base::DType type);
NonZeroWrite find_nonzero_write(base::DType type);

}  // namespace onnxrun::cuda
