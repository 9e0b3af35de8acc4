// onnxrun._native.Model and functions on model files. Long calls let other Python threads run.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "gil.h"
#include "options.h"
#include "ports.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace onnxrun::python {
namespace {

template <class Call>
auto without_gil(Call&& call) {
  const WithoutGil released;
  return call();
}

// Anything with the buffer protocol, kept while it is read.
class BytesView {
 public:
  explicit BytesView(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) nb::raise_python_error();
  }
  BytesView(const BytesView&) = delete;
  BytesView& operator=(const BytesView&) = delete;
  ~BytesView() { PyBuffer_Release(&view_); }
  std::span<const std::byte> span() const {
    return {static_cast<const std::byte*>(view_.buf), static_cast<size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

Model load(const std::string& path, const Settings& settings) {
  return without_gil([&] { return Model(path, to_options(settings)); });
}

Model load_bytes(nb::handle bytes, const Settings& settings) {
  const BytesView view(bytes);
  return without_gil([&] { return Model(view.span(), to_options(settings)); });
}

nb::bytes to_bytes(const Model& model, const Settings& settings) {
  const std::string bytes = without_gil([&] { return model.to_bytes(to_options(settings)); });
  return nb::bytes(bytes.data(), bytes.size());
}

}  // namespace

void bind_model(nb::module_& module) {
  nb::class_<Model>(module, "Model")
      .def_prop_ro("inputs", [](const Model& self) { return describe_ports(self.inputs()); })
      .def_prop_ro("outputs", [](const Model& self) { return describe_ports(self.outputs()); })
      .def("inspect",
           [](const Model& self, uint32_t parts, const Settings& settings) {
             return without_gil([&] { return self.inspect(parts, to_options(settings)); });
           })
      .def("optimized",
           [](const Model& self, const Settings& settings) {
             return without_gil([&] { return self.optimized(to_options(settings)); });
           })
      .def("save", [](const Model& self, const std::string& path,
                      const Settings& settings) { without_gil([&] { self.save(path, to_options(settings)); }); })
      .def("to_bytes", &to_bytes)
      .def("to_text", [](const Model& self) { return without_gil([&] { return self.to_text(); }); });
  module.def("load", &load);
  module.def("load_bytes", &load_bytes);
  module.def("from_text", [](const std::string& text, const Settings& settings) {
    return without_gil([&] { return Model::from_text(text, to_options(settings)); });
  });
  module.def("check", [](const std::string& path, const Settings& settings) {
    return without_gil([&] { return check_model(path, to_options(settings)); });
  });
  module.def("check_bytes", [](nb::handle bytes, const Settings& settings) {
    const BytesView view(bytes);
    return without_gil([&] { return check_model(view.span(), to_options(settings)); });
  });
  module.def("providers",
             [](const Settings& settings) { return without_gil([&] { return providers(to_options(settings)); }); });
}

}  // namespace onnxrun::python
