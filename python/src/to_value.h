// Python objects as values of the library.
#pragma once

#include <nanobind/nanobind.h>
#include <onnxrun/onnxrun.hpp>

#include <string_view>

#include "types.h"

namespace onnxrun::python {

// `object` as the value that `type` declares: arrays, anything with __dlpack__ or __array__, numbers, text, lists, dicts, None. A contiguous and aligned array in
// the machine's byte order is viewed and kept alive, another one copied. `what` names it in messages ("input 'x'"). Throws onnxrun::Error
// (kInvalidArgument), or what Python raised.
Value to_value(nanobind::handle object, const Type& type, std::string_view what);

// A tensor over an array that a run may write to. Throws kInvalidArgument where that is impossible without a copy.
Tensor to_writable_tensor(nanobind::handle object, std::string_view what);

}  // namespace onnxrun::python
