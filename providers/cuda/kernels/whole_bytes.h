// Kernels that move elements by their size, whatever they mean.
#pragma once

#include "cuda/kernel.h"

namespace onnxrun::cuda {

inline int bytes_of(const onnxrun_tensor& tensor) { return base::dtype_bits(dtype(tensor)) / 8; }

// Declines strings and packed elements.
inline Acceptance whole_bytes(const onnxrun_tensor& tensor) {
  if (dtype(tensor) == DType::kString) return Acceptance::decline("strings");
  return base::is_sub_byte(dtype(tensor)) ? Acceptance::decline("packed elements") : Acceptance();
}

}  // namespace onnxrun::cuda
