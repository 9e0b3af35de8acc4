// onnxrun.Value.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "dlpack.h"
#include "dtypes.h"
#include "from_value.h"
#include "gil.h"
#include "numpy_api.h"
#include "options.h"
#include "to_value.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace onnxrun::python {
namespace {

// Whether runs can be let write to the array as it lies.
bool plain_and_writable(nb::handle object) {
  if (!PyArray_CheckExact(object.ptr())) return false;
  auto* const array = reinterpret_cast<PyArrayObject*>(object.ptr());
  const onnxrun_dtype dtype = dtype_of(PyArray_DESCR(array));
  return dtype_bits(dtype) >= 8 && PyArray_ISCARRAY(array);
}

Value make_value(nb::handle object, nb::handle dtype) {
  if (dtype.is_none() && plain_and_writable(object)) return to_writable_tensor(object, "the value");
  Type type;
  if (!dtype.is_none()) {
    type.kind = ONNXRUN_KIND_TENSOR;
    type.dtype = dtype_from(dtype);
  } else if (PyList_Check(object.ptr()) || PyTuple_Check(object.ptr())) {
    type.kind = ONNXRUN_KIND_SEQUENCE;
  }
  return to_value(object, type, "the value");
}

size_t bytes_of(onnxrun_dtype dtype, const std::vector<int64_t>& shape) {
  size_t bits = static_cast<size_t>(dtype_bits(dtype));
  for (const int64_t dim : shape)
    if (dim < 0 || __builtin_mul_overflow(bits, static_cast<size_t>(dim), &bits))
      throw Error(Code::kInvalidArgument, "this is no shape of a tensor");
  return bits / 8 + (bits % 8 != 0);
}

Value at_address(uintptr_t address, const std::vector<int64_t>& shape, nb::handle dtype, int device_type,
                 int device_id) {
  const onnxrun_dtype type = dtype_from(dtype);
  return Tensor::wrap_device({device_type, device_id}, type, shape, reinterpret_cast<void*>(address),
                             bytes_of(type, shape));
}

// Memory of devices, by the provider libraries of the settings.
struct Devices {
  explicit Devices(const Settings& settings) : options(to_options(settings)) {}
  Options options;
};

Value empty_on(const Devices& devices, const std::vector<int64_t>& shape, nb::handle dtype, int device_type,
               int device_id) {
  return make_on(devices.options, {device_type, device_id}, dtype_from(dtype), shape);
}

void copy_value(const Devices& devices, const Value& from, const Value& to) {
  const WithoutGil released;
  Tensor target(to);
  copy(devices.options, Tensor(from), target);
}

nb::object device_of(const Value& value) {
  const Device device = Tensor(value).device();
  return nb::make_tuple(device.type, device.id);
}

Value make_empty(const std::vector<int64_t>& shape, nb::handle dtype) { return Tensor(dtype_from(dtype), shape); }

nb::object shape_of(const Value& value) {
  nb::list dims;
  for (const int64_t dim : Tensor(value).shape()) dims.append(dim);
  return nb::tuple(dims);
}

std::string_view dtype_of_value(const Value& value) { return dkind_of_object(Tensor(value).dtype()); }

std::string_view kind_of(const Value& value) {
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: return "tensor";
    case ONNXRUN_KIND_SEQUENCE: return "sequence";
    case ONNXRUN_KIND_MAP: return "map";
    default: return "optional";
  }
}

// NumPy's protocol for objects that are arrays in other clothes.
nb::object as_array(const Value& value, nb::object dtype, nb::object copy) {
  nb::object array = to_python(Tensor(value), false);
  if (!dtype.is_none() && !array.attr("dtype").equal(dtype)) return array.attr("astype")(dtype);
  return !copy.is_none() && nb::cast<bool>(copy) ? array.attr("copy")() : array;
}

nb::str text(std::string_view view) { return nb::str(view.data(), view.size()); }

Value read_proto(const nb::bytes& bytes, int kind) {
  return Value::from_proto(std::string_view(bytes.c_str(), bytes.size()), static_cast<onnxrun_kind>(kind));
}

}  // namespace

void bind_value(nb::module_& module) {
  nb::class_<Value>(module, "Value",
                    "A tensor, sequence, map or absent optional in memory that runs read and write without copies.\n\n"
                    "Value(object, dtype=None): of an array (shown where it is contiguous and aligned), numbers, text, "
                    "a list of arrays "
                    "(a sequence), a dict (a map) or None; dtype is the element type of numbers. Runs may write to the "
                    "memory of a writable array.")
      .def(
          "__init__",
          [](Value* self, nb::object object, nb::object dtype) { new (self) Value(make_value(object, dtype)); },
          "object"_a.none(), "dtype"_a.none() = nb::none())
      .def_static("empty", &make_empty, "shape"_a, "dtype"_a,
                  "A tensor of zeros (strings: empty) that can be written to.")
      .def_static(
          "from_address", &at_address, "address"_a, "shape"_a, "dtype"_a, "device_type"_a = 1, "device_id"_a = 0,
          "Over contiguous elements at an address of the host or, by DLPack's numbers, of a device; they must stay "
          "there as long as the value lives.")
      .def_static(
          "from_proto", &read_proto, "data"_a, "kind"_a = 0,
          "From the bytes of a TensorProto or, by kind, a SequenceProto (3), OptionalProto (4) or MapProto (5).")
      .def_prop_ro(
          "kind", [](const Value& self) { return text(kind_of(self)); },
          "'tensor', 'sequence', 'map', or 'optional' for an absent one.")
      .def_prop_ro(
          "dtype", [](const Value& self) { return text(dtype_of_value(self)); },
          "Element type of a tensor, as 'float32'.")
      .def_prop_ro("shape", &shape_of, "Sizes of a tensor.")
      .def_prop_ro("nbytes",
                   [](const Value& self) {
                     const Tensor tensor(self);
                     if (tensor.dtype() == ONNXRUN_DTYPE_STRING) (void)tensor.bytes();  // says that it has none
                     return bytes_of(tensor.dtype(), tensor.shape());
                   })
      .def_prop_ro("address",
                   [](const Value& self) {
                     const Tensor tensor(self);
                     if (tensor.dtype() == ONNXRUN_DTYPE_STRING) (void)tensor.bytes();  // says that they have none
                     return reinterpret_cast<uintptr_t>(tensor.address());
                   })
      .def_prop_ro("device", &device_of, "Where a tensor lies, in DLPack's numbers: (1, 0) is the host.")
      .def(
          "numpy", [](const Value& self) { return to_python(Tensor(self), false); },
          "An array that shows the tensor's memory (strings and elements of fewer than 8 bits: a copy).")
      .def(
          "to_python", [](const Value& self) { return to_python(self, false); },
          "What numpy() gives for a tensor; a list, a dict or None for other kinds.")
      .def("__array__", &as_array, "dtype"_a.none() = nb::none(), "copy"_a.none() = nb::none())
      .def(
          "to_proto",
          [](const Value& self, const std::string& name) {
            const std::string bytes = Tensor(self).to_proto(name);
            return nb::bytes(bytes.data(), bytes.size());
          },
          "name"_a = "")
      .def("elements", &Value::elements)
      .def("__dlpack__", [](const Value& self, const nb::kwargs&) { return dlpack_of(self); })
      .def("__dlpack_device__", &device_of)
      .def("__repr__", [](const Value& self) { return "<onnxrun.Value: " + self.describe() + ">"; });
  nb::class_<Devices>(module, "Devices", "Memory of devices, by provider libraries.")
      .def(nb::init<const Settings&>(), "settings"_a)
      .def("empty", &empty_on, "shape"_a, "dtype"_a, "device_type"_a, "device_id"_a)
      .def("copy", &copy_value);
}

}  // namespace onnxrun::python
