// Errors of the library as Python's exceptions.
#pragma once

#include <nanobind/nanobind.h>
#include <onnxrun/error.hpp>

namespace onnxrun::python {

// From here on onnxrun::Error becomes the exception that onnxrun.errors has for its code.
void register_errors();

// Text of the name of an object's type, for messages.
inline const char* kind_of_object(nanobind::handle object) { return Py_TYPE(object.ptr())->tp_name; }

}  // namespace onnxrun::python
