// Declared inputs and outputs for Python.
#pragma once

#include <nanobind/nanobind.h>
#include <onnxrun/onnxrun.hpp>

#include <vector>

namespace onnxrun::python {

// A list of tuples (name, type, kind, dtype, dims or None, has_default); a dim is an int, a name or an expression, or None when unknown.
nanobind::list describe_ports(const std::vector<Port>& ports);

}  // namespace onnxrun::python
