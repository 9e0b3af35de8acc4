// DLPack: tensors of other libraries without a copy, and ours for them.
#pragma once

#include <nanobind/nanobind.h>
#include <onnxrun/onnxrun.hpp>

namespace onnxrun::python {

// A DLPack capsule over a value's tensor; the capsule keeps the value alive. Throws kInvalidArgument for types that DLPack does not have.
nanobind::object dlpack_of(const Value& value);

}  // namespace onnxrun::python
