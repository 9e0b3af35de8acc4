// Element types between onnxrun and NumPy; those that NumPy lacks come from ml_dtypes.
#pragma once

#include <nanobind/nanobind.h>
#include <onnxrun/types.h>

#include <string_view>

#include "numpy_api.h"

namespace onnxrun::python {

// What an array of this type holds: STRING also for arrays of Python objects; NONE for types that ONNX does not have.
onnxrun_dtype dtype_of(PyArray_Descr* descr);

// The NumPy type, as a new reference. Types of fewer than 8 bits are those of ml_dtypes, an element a byte.
// Throws ImportError where ml_dtypes is needed and missing.
PyArray_Descr* descr_of(onnxrun_dtype dtype);

// "float32", ...; "" for NONE.
std::string_view dkind_of_object(onnxrun_dtype dtype);
onnxrun_dtype dtype_named(std::string_view name);  // NONE for unknown names

// Bits of an element; 0 for strings.
int dtype_bits(onnxrun_dtype dtype);

// The element type that a Python object names: a name of ours, or anything numpy.dtype takes. Throws TypeError.
onnxrun_dtype dtype_from(nanobind::handle object);

}  // namespace onnxrun::python
