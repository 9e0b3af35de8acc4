// NumPy arrays and other holders of tensors as tensors of the library.
#pragma once

#include <nanobind/nanobind.h>
#include <onnxrun/onnxrun.hpp>

#include <string_view>

namespace onnxrun::python {

// A tensor over, or a copy of, a NumPy array (which `array` is). Throws kInvalidArgument for types that ONNX does not have.
Tensor tensor_of_array(nanobind::handle array, std::string_view what);

// A tensor of strings from an array of str, bytes or objects that are such.
Tensor tensor_of_strings(nanobind::handle array, std::string_view what);

// A tensor over, or a copy of, what an object's __dlpack__ gives.
Tensor tensor_of_dlpack(nanobind::handle object, std::string_view what);

// A tensor over memory that `owner` keeps alive.
Tensor wrap_memory(onnxrun_dtype dtype, const Shape& shape, void* data, size_t bytes, bool writable,
                   nanobind::handle owner);

}  // namespace onnxrun::python
