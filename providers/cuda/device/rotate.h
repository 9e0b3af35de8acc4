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

// Rows of heads, perhaps divided by their root mean square and scaled, turned, and put elsewhere. Without `half` they are not turned. Position i is first + i, or ids[i * ids_step] + (ids_step 0: i).
struct RotatedRows {
  const void* from = nullptr;
  void* to = nullptr;
  int64_t from_head = 0, from_row = 0, to_head = 0, to_row = 0;  // steps, in elements
  int64_t heads = 0, rows = 0, head = 0, half = 0, positions = 0, first = 0;
  bool interleaved = false;
  const void* norm = nullptr;  // the scale of each element; null: rows are not divided
  float epsilon = 0;
  const void* cos = nullptr;
  const void* sin = nullptr;
  const int64_t* ids = nullptr;
  int64_t ids_step = 1;
  Report report;  // of a position beyond the caches
};
using RotatedRowsLaunch = void (*)(const Queue& queue, const RotatedRows& how);
RotatedRowsLaunch find_rotated_rows(base::DType type);

}  // namespace onnxrun::cuda
