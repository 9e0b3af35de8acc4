// onnxrun._native.quantize: samples asked of Python, everything else in the library.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <onnxrun/onnxrun.hpp>

#include <string>
#include <utility>

#include "bindings.h"
#include "gil.h"
#include "options.h"
#include "to_value.h"
#include "types.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

// What `sample(index)` gives: a dict by input, or None.
NamedValues inputs_of(nb::handle sample, size_t index, const std::vector<Port>& ports) {
  const nb::object given = sample(index);
  NamedValues result;
  if (given.is_none()) return result;
  if (!PyDict_Check(given.ptr())) throw Error(Code::kInvalidArgument, "a sample is a dict of arrays by input");
  for (const auto [key, value] : nb::borrow<nb::dict>(given)) {
    if (!PyUnicode_Check(key.ptr())) throw Error(Code::kInvalidArgument, "names of inputs are str");
    const auto name = nb::cast<std::string>(key);
    Type type;
    for (const Port& port : ports)
      if (port.name == name) type = parse_type(port.type);
    result.emplace_back(name, to_value(value, type, "input '" + name + "'"));
  }
  if (result.empty()) throw Error(Code::kInvalidArgument, "a sample has no inputs");
  return result;
}

std::pair<Model, std::string> quantize(const Model& model, const Settings& settings, nb::handle sample,
                                       const Settings& options) {
  const std::vector<Port> ports = model.inputs();
  Quantization::Samples samples;
  if (!sample.is_none())
    samples = [&, handle = sample.ptr()](size_t index) {
      const WithGil held;
      return inputs_of(handle, index, ports);
    };
  const WithoutGil released;
  const Quantization made(model, settings, samples, to_options(options));
  return {made.model(), made.report()};
}

}  // namespace

void bind_quantize(nb::module_& module) {
  module.def("quantize", &quantize, nb::arg("model"), nb::arg("settings"), nb::arg("sample").none(),
             nb::arg("options"));
}

}  // namespace onnxrun::python
