// What the parts of cuDNN's double share.
#pragma once

#include <cudnn.h>

#include <vector>

#include "elements.h"

struct CudnnDouble {
  cudaStream_t stream = nullptr;
};
struct CudnnDoubleTensor {
  cudnnDataType_t type;
  std::vector<int> dims, strides;
};

namespace cuda_double {

inline Element element_of(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT: return Element::kFloat;
    case CUDNN_DATA_DOUBLE: return Element::kDouble;
    case CUDNN_DATA_HALF: return Element::kHalf;
    case CUDNN_DATA_BFLOAT16: return Element::kBfloat16;
  }
  return Element::kUnknown;
}

inline size_t bytes_of(const CudnnDoubleTensor& tensor) {
  int64_t last = 0;
  for (size_t d = 0; d < tensor.dims.size(); ++d) last += int64_t{tensor.dims[d] - 1} * tensor.strides[d];
  return static_cast<size_t>(last + 1) * bytes_of(element_of(tensor.type));
}

}  // namespace cuda_double
