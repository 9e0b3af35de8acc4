// Values of the library as Python objects.
#pragma once

#include <nanobind/nanobind.h>
#include <onnxrun/onnxrun.hpp>

namespace onnxrun::python {

// A tensor as an array that shows its memory and keeps it alive (strings: an array of str; elements of fewer than 8 bits: a copy), a sequence as a
// list, a map as a dict, an absent optional as None. An array can be written to where the value can; with `own` it always can, and is a copy where it
// must be.
nanobind::object to_python(Value value, bool own);

}  // namespace onnxrun::python
