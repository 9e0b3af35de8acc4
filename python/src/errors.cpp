// The translation of exceptions.
#include "errors.h"

namespace nb = nanobind;

namespace onnxrun::python {

void register_errors() {
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Error& error) {
      try {
        const nb::object exception = nb::module_::import_("onnxrun.errors")
                                         .attr("from_code")(static_cast<int>(error.code()), nb::bytes(error.what()));
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
      } catch (nb::python_error& failure) {
        failure.restore();
      }
    }
  });
}

}  // namespace onnxrun::python
