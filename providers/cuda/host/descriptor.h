// What cuDNN is told of tensors, filters and operations by descriptors.
#pragma once

#include <cudnn.h>
#include <onnxrun/provider.h>

#include "base/dtype.h"
#include "cuda/host/check.h"
#include "cuda/host/libraries.h"

namespace onnxrun::cuda {

// A descriptor of cuDNN's, from its creation to its end.
template <class T>
class Descriptor {
 public:
  Descriptor(cudnnStatus_t (*create)(T*), cudnnStatus_t (*destroy)(T)) : destroy_(destroy) {
    check(create(&it_), "making a descriptor");
  }
  ~Descriptor() { destroy_(it_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  T get() const { return it_; }

 private:
  cudnnStatus_t (*destroy_)(T);
  T it_ = nullptr;
};

struct TensorDescriptor : Descriptor<cudnnTensorDescriptor_t> {
  TensorDescriptor() : Descriptor(cudnn().tensor_create, cudnn().tensor_destroy) {}
};

// float32, float64, float16 or bfloat16.
inline cudnnDataType_t cudnn_type(base::DType type) {
  switch (type) {
    case base::DType::kFloat64: return CUDNN_DATA_DOUBLE;
    case base::DType::kFloat16: return CUDNN_DATA_HALF;
    case base::DType::kBfloat16: return CUDNN_DATA_BFLOAT16;
    default: return CUDNN_DATA_FLOAT;
  }
}

// Its math for a type: float32 in TF32 at `medium` precision only; 16-bit types on tensor cores, which the default does not take.
inline cudnnMathType_t cudnn_math(base::DType type, int precision) {
  if (type == base::DType::kFloat16 || type == base::DType::kBfloat16) return CUDNN_TENSOR_OP_MATH;
  return type == base::DType::kFloat32 && precision != ONNXRUN_PRECISION_MEDIUM ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH;
}

}  // namespace onnxrun::cuda
