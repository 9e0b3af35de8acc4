// What the files of the extension add to its module.
#pragma once

#include <nanobind/nanobind.h>

namespace onnxrun::python {

void bind_value(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_editor(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_session(nanobind::module_& module);

}  // namespace onnxrun::python
