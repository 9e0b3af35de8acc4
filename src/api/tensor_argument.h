// Checked arguments of the value functions.
#pragma once

#include "api/handles.h"
#include "base/tensor.h"

namespace onnxrun::api {

// Each throws kInvalidArgument saying what is wrong.
base::Dims dims_argument(const int64_t* dims, size_t rank);
base::DType dtype_argument(int32_t dtype);
// In host memory.
const base::Tensor& tensor_argument(const onnxrun_value* value);
base::Tensor& writable_argument(onnxrun_value* value);
// Wherever it lies: its elements are not to be touched.
const base::Tensor& any_tensor_argument(const onnxrun_value* value);
base::Tensor& any_writable_argument(onnxrun_value* value);

// A device by DLPack's numbers, as plan::memory_on says; 0 for the host's.
int32_t memory_argument(int32_t device_type, int32_t device_id);
// Whether memory of a device of DLPack's type is host memory by another name.
bool is_host_device(int32_t device_type);

// A tensor over memory of `bytes` bytes: the host's (`memory` 0), or that of a device (plan::memory_on). `release`, which may be null, is called when the last
// value that shares it goes, not when this throws.
onnxrun_value* wrap_tensor(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes, int32_t memory,
                           bool writable, void (*release)(void* context), void* context);

}  // namespace onnxrun::api
