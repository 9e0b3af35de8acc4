// RotaryEmbedding.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// Pairs of the first 2 * half elements of each head turned by the angle of their position; the others stay.
struct Rotation {
  int64_t batch = 0, heads = 1, length = 0, head = 0, half = 0, positions = 0;
  bool merged = false;       // heads merged into the last dim
  bool interleaved = false;  // pairs are neighbours
  const int64_t* ids = nullptr;
  Report report;
};
using RotationLaunch = void (*)(const Queue& queue, const Rotation& how, const void* x, const void* cos,
                                const void* sin, void* y);
RotationLaunch find_rotation(base::DType type);

}  // namespace onnxrun::cuda
