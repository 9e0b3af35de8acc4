// A float that a kernel reads on the host.
#pragma once

#include "base/floats.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {

// float32, float64, float16 or bfloat16.
inline bool is_plain_float(DType type) { return base::is_float(type) && base::dtype_bits(type) >= 16; }

// Element `i` of such a tensor in host memory.
inline double float_of(const onnxrun_tensor& tensor, int64_t i = 0) {
  switch (dtype(tensor)) {
    case DType::kFloat64: return static_cast<const double*>(tensor.data)[i];
    case DType::kFloat16:
      return static_cast<double>(static_cast<float>(static_cast<const base::Float16*>(tensor.data)[i]));
    case DType::kBfloat16:
      return static_cast<double>(static_cast<float>(static_cast<const base::Bfloat16*>(tensor.data)[i]));
    default: return static_cast<double>(static_cast<const float*>(tensor.data)[i]);
  }
}

}  // namespace onnxrun::cuda
