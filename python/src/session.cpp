// onnxrun._native.Session: making sessions and running them.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <onnxrun/onnxrun.hpp>

#include <optional>
#include <string>
#include <unordered_map>

#include "bindings.h"
#include "cancel.h"
#include "errors.h"
#include "from_value.h"
#include "gil.h"
#include "interrupt.h"
#include "options.h"
#include "ports.h"
#include "to_value.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace onnxrun::python {
namespace {

// A session with what conversions need to know of its inputs.
struct Prepared {
  explicit Prepared(Session made) : session(std::move(made)), inputs(session.inputs()), outputs(session.outputs()) {
    for (const Port& port : inputs) {
      numbers.emplace(port.name, types.size());
      types.push_back(parse_type(port.type));
    }
  }
  Session session;
  std::vector<Port> inputs, outputs;
  std::vector<Type> types;
  std::unordered_map<std::string, size_t> numbers;
};

std::string name_of(nb::handle object) {
  if (!PyUnicode_Check(object.ptr()))
    throw Error(Code::kInvalidArgument,
                std::string("names of inputs and outputs are str, not ") + kind_of_object(object));
  Py_ssize_t length = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(object.ptr(), &length);
  if (text == nullptr) nb::raise_python_error();
  return std::string(text, static_cast<size_t>(length));
}

void set_input(Run& run, const Prepared& prepared, const std::string& name, nb::handle object) {
  static const Type kUnknown;
  const auto known = prepared.numbers.find(name);
  const std::string what = "input '" + name + "'";
  // A name that the model does not have is refused by the run, which lists those there are.
  run.set_input(name,
                to_value(object, known != prepared.numbers.end() ? prepared.types[known->second] : kUnknown, what));
}

void set_inputs(Run& run, const Prepared& prepared, nb::handle inputs) {
  if (PyDict_Check(inputs.ptr())) {
    PyObject *key = nullptr, *value = nullptr;
    Py_ssize_t position = 0;
    while (PyDict_Next(inputs.ptr(), &position, &key, &value)) {
      // Conversions may run Python code that changes the dict.
      const nb::object name = nb::borrow(key), object = nb::borrow(value);
      set_input(run, prepared, name_of(name), object);
    }
    return;
  }
  if (!PyList_Check(inputs.ptr()) && !PyTuple_Check(inputs.ptr()))
    throw Error(Code::kInvalidArgument,
                std::string("inputs are a dict by name, or a list or tuple in the model's order, not ") +
                    kind_of_object(inputs));
  const auto sequence = nb::borrow<nb::sequence>(inputs);
  const size_t count = nb::len(sequence);
  if (count > prepared.inputs.size())
    throw Error(Code::kInvalidArgument, std::to_string(count) + " inputs were given, but the model has " +
                                            std::to_string(prepared.inputs.size()));
  for (size_t i = 0; i < count; ++i) {
    const nb::object object = sequence[i];
    set_input(run, prepared, prepared.inputs[i].name, object);
  }
}

// `devices`: DLPack's numbers of devices by the names of outputs that are to be made there.
void set_outputs(Run& run, nb::handle wanted, nb::handle into, nb::handle devices) {
  if (!wanted.is_none()) {
    if (PyUnicode_Check(wanted.ptr())) throw Error(Code::kInvalidArgument, "outputs are a list of names, not one str");
    for (const nb::handle name : nb::borrow<nb::iterable>(wanted)) run.want(name_of(name));
  }
  if (!devices.is_none())
    for (const auto [name, device] : nb::borrow<nb::dict>(devices)) {
      const auto [type, id] = nb::cast<std::pair<int32_t, int32_t>>(device);
      run.want(name_of(name), Device{type, id});
    }
  if (into.is_none()) return;
  for (const auto [name, target] : nb::borrow<nb::dict>(into)) {
    const std::string text = name_of(name);
    run.set_output(text, to_writable_tensor(target, "output '" + text + "'"));
  }
}

struct Request {
  nb::object inputs, outputs, into, devices, tap, taps;
  double timeout;
  CancelToken* cancel;
  bool profile;
};

Results execute(Run& run, const Prepared& prepared, const Request& request) {
  set_inputs(run, prepared, request.inputs);
  set_outputs(run, request.outputs, request.into, request.devices);
  if (request.timeout != 0) run.set_timeout(request.timeout);
  if (!request.tap.is_none()) {
    std::vector<std::string> names;
    for (const nb::handle name : nb::borrow<nb::list>(request.taps)) names.push_back(name_of(name));
    run.set_tap(
        [tap = request.tap.ptr(), &run](std::string_view name, const Value& value) {
          const WithGil gil;
          try {
            nb::borrow(tap)(nb::str(name.data(), name.size()), to_python(value, true));
          } catch (...) {
            run.cancel();  // what follows would be thrown away
            throw;
          }
        },
        names);
  }
  if (request.profile) run.set_profile(true);
  watch_signals(run);
  const CancelToken::Entry entry(request.cancel, run);
  const WithoutGil released;
  return run.execute();
}

nb::object convert(const Value& value, bool as_values) { return as_values ? nb::cast(value) : to_python(value, true); }

nb::object run_session(const Prepared& self, nb::object inputs, nb::object outputs, nb::object into, double timeout,
                       CancelToken* cancel, nb::object tap, nb::object taps, bool as_list, bool as_values,
                       nb::object devices) {
  Run run(self.session);
  const Request request{inputs, outputs, into, devices, tap, taps, timeout, cancel, false};
  const Results results = execute(run, self, request);
  if (as_list) {
    nb::list list;
    for (const auto& [name, value] : results) list.append(convert(value, as_values));
    return list;
  }
  nb::dict dict;
  for (const auto& [name, value] : results) {
    const nb::str key(name.c_str());
    // A tensor of the caller's is what it passed.
    if (!into.is_none() && PyDict_Contains(into.ptr(), key.ptr()) == 1) dict[key] = into[key];
    else dict[key] = convert(value, as_values);
  }
  return dict;
}

nb::object profile_session(const Prepared& self, nb::object inputs, nb::object outputs, double timeout,
                           CancelToken* cancel) {
  Run run(self.session);
  const Results results =
      execute(run, self, {inputs, outputs, nb::none(), nb::none(), nb::none(), nb::none(), timeout, cancel, true});
  nb::dict dict;
  for (const auto& [name, value] : results) dict[name.c_str()] = to_python(value, true);
  return nb::make_tuple(dict, nb::str(run.profile().c_str()));
}

Prepared* make_session(const Model& model, const Settings& settings) {
  const WithoutGil released;
  return new Prepared(Session(model, to_options(settings)));
}

}  // namespace

void bind_session(nb::module_& module) {
  nb::class_<CancelToken>(module, "CancelToken",
                          "Ends every run that was given it, those to come too, until it is reset. For any thread.")
      .def(nb::init<>())
      .def("cancel", &CancelToken::cancel, nb::call_guard<WithoutGil>(), "Ends the runs that go on with this token.")
      .def("reset", &CancelToken::reset, nb::call_guard<WithoutGil>(), "Lets runs begin again.")
      .def_prop_ro("cancelled", &CancelToken::cancelled);
  nb::class_<Prepared>(module, "Session")
      .def_prop_ro("inputs", [](const Prepared& self) { return describe_ports(self.inputs); })
      .def_prop_ro("outputs", [](const Prepared& self) { return describe_ports(self.outputs); })
      .def("run", &run_session, "inputs"_a, "outputs"_a.none(), "into"_a.none(), "timeout"_a, "cancel"_a.none(),
           "tap"_a.none(), "taps"_a.none(), "as_list"_a, "as_values"_a, "devices"_a.none() = nb::none())
      .def("profile", &profile_session, "inputs"_a, "outputs"_a.none(), "timeout"_a, "cancel"_a.none())
      .def(
          "trim", [](Prepared& self) { self.session.trim(); }, nb::call_guard<WithoutGil>())
      .def("memory", [](const Prepared& self) { return self.session.memory(); })
      .def("stats", [](const Prepared& self) { return self.session.stats(); })
      .def(
          "prometheus", [](const Prepared& self, const std::string& name) { return self.session.prometheus(name); },
          "name"_a);
  module.def("make_session", &make_session, nb::rv_policy::take_ownership);
}

}  // namespace onnxrun::python
