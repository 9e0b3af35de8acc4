// GatherBlockQuantized: elements picked from data of few bits, whose blocks have scales.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// y[outer, pick, inner] = (x - zero point) * scale for x[outer, indices[pick], inner]; 0 where the index is outside.
struct BlockGather {
  int64_t outer = 1, size = 1, inner = 1, picks = 1;
  const void* indices = nullptr;
  bool wide = true;  // int64 indices, else int32
  // The data's dims, and the scales' steps along them (0 where they are broadcast), of which the axis `quantized` has blocks; block 0: one.
  int rank = 0, quantized = 0;
  int64_t dims[kMaxAxes], steps[kMaxAxes], block = 0;
  int bits = 4;
  const float* values = nullptr;   // of each code
  const uint8_t* zeros = nullptr;  // codes, in rows of `columns` that begin `row_codes` apart; null: `middle`
  int64_t columns = 1, row_codes = 1;
  float middle = 0;
  const void* scales = nullptr;
  base::DType type = base::DType::kFloat32;  // of scales and y: a float type
};
void launch_block_gather(const Queue& queue, const BlockGather& how, const uint8_t* x, void* y);

}  // namespace onnxrun::cuda
