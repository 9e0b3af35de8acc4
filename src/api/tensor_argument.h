// Checked arguments of the value functions.
#pragma once

#include "api/handles.h"
#include "base/tensor.h"

namespace onnxrun::api {

// Each throws kInvalidArgument saying what is wrong.
base::Dims dims_argument(const int64_t* dims, size_t rank);
base::DType dtype_argument(int32_t dtype);
const base::Tensor& tensor_argument(const onnxrun_value* value);
base::Tensor& writable_argument(onnxrun_value* value);

}  // namespace onnxrun::api
