// Outputs whose shape follows from values.
#pragma once

#include "cuda/kernel.h"

namespace onnxrun::cuda {

// Output `index` with these dims: as planned, or made now.
inline const onnxrun_tensor& open_output(RunContext& context, size_t index, std::span<const int64_t> dims) {
  const onnxrun_tensor& output = context.output(index);
  if (output.rank >= 0 && output.data != nullptr) return output;
  return context.allocate_output(index, dims);
}

}  // namespace onnxrun::cuda
