// onnxrun._native: the library for Python. The package's Python files give it its face.
#define ONNXRUN_IMPORTS_NUMPY
#include "numpy_api.h"

#include <onnxrun/onnxrun.hpp>

#include "bindings.h"
#include "errors.h"
#include "interrupt.h"

namespace nb = nanobind;

NB_MODULE(_native, module) {
  if (PyArray_ImportNumPyAPI() < 0) nb::raise_python_error();
  nb::set_leak_warnings(false);  // programs may end with results alive
  onnxrun::python::register_errors();
  onnxrun::python::note_main_thread();
  onnxrun::python::bind_value(module);
  onnxrun::python::bind_model(module);
  onnxrun::python::bind_editor(module);
  onnxrun::python::bind_quantize(module);
  onnxrun::python::bind_session(module);
  module.def("library_version", [] { return onnxrun::api().library_version(); });
  module.def("note_main_thread", &onnxrun::python::note_main_thread);
}
