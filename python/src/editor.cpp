// onnxrun._native.Editor: the editing functions one by one.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <onnxrun/onnxrun.hpp>

#include "bindings.h"
#include "dtypes.h"
#include "from_value.h"
#include "to_value.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace onnxrun::python {
namespace {

void set_constant(Editor& editor, const std::string& name, nb::handle object) {
  Type tensor;
  tensor.kind = ONNXRUN_KIND_TENSOR;
  editor.set_constant(name, Tensor(to_value(object, tensor, "constant '" + name + "'")));
}

}  // namespace

void bind_editor(nb::module_& module) {
  nb::class_<Editor>(module, "Editor")
      .def(nb::init<const Model&>())
      .def("finish", &Editor::finish)
      .def("select", &Editor::select)
      .def("node", &Editor::node)
      .def("extract", [](Editor& self, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs) { self.extract(inputs, outputs); })
      .def("rename_value",
           [](Editor& self, const std::string& from, const std::string& to) { self.rename_value(from, to); })
      .def("rename_node", [](Editor& self, int64_t node, const std::string& name) { self.rename_node(node, name); })
      .def("remove", [](Editor& self, int64_t node) { self.remove(node); })
      .def("bypass", [](Editor& self, int64_t node) { self.bypass(node); })
      .def("insert", [](Editor& self, const std::string& text) { self.insert(text); })
      .def("set_node_input", [](Editor& self, int64_t node, size_t index,
                                const std::string& value) { self.set_node_input(node, index, value); })
      .def("replace_uses",
           [](Editor& self, const std::string& from, const std::string& to) { self.replace_uses(from, to); })
      .def("add_input", [](Editor& self, const std::string& value) { self.add_input(value); })
      .def("add_output", [](Editor& self, const std::string& value) { self.add_output(value); })
      .def("remove_output", [](Editor& self, const std::string& value) { self.remove_output(value); })
      .def("set_input_shape", [](Editor& self, const std::string& input,
                                 const std::vector<std::string>& dims) { self.set_input_shape(input, dims); })
      .def("set_input_type", [](Editor& self, const std::string& input,
                                nb::object dtype) { self.set_input_type(input, dtype_from(dtype)); })
      .def("constant", [](const Editor& self, const std::string& name) { return to_python(self.constant(name), true); })
      .def("set_constant", &set_constant)
      .def(
          "set_metadata",
          [](Editor& self, const std::string& key, const std::optional<std::string>& value) {
            self.set_metadata(key, value);
          },
          "key"_a, "value"_a.none())
      .def("strip_weights", &Editor::strip_weights)
      .def("merge", [](Editor& self, const Model& other, const std::vector<std::pair<std::string, std::string>>& links,
                       const std::string& prefix) { self.merge(other, links, prefix); });
}

}  // namespace onnxrun::python
