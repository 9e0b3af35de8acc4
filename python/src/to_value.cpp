// Converting what callers pass.
#include "to_value.h"

#include <vector>

#include "arrays.h"
#include "dtypes.h"
#include "errors.h"
#include "numpy_api.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

[[noreturn]] void refuse(std::string_view what, const std::string& why) {
  throw Error(Code::kInvalidArgument, std::string(what) + " " + why);
}

const Value& value_in(nb::handle object, std::string_view what) {
  if (!nb::inst_ready(object)) refuse(what, "is an onnxrun.Value that was never made");
  return nb::cast<const Value&>(object);
}

Value tensor_value(nb::handle object, const Type& type, std::string_view what) {
  // Masked arrays and other subclasses may mean more than their elements: Python looks at them.
  if (PyArray_CheckExact(object.ptr())) return tensor_of_array(object, what);
  if (!PyArray_Check(object.ptr()) && nb::hasattr(object, "__dlpack__")) return tensor_of_dlpack(object, what);
  const std::string_view wanted = dkind_of_object(type.dtype);
  const nb::object array =
      nb::module_::import_("onnxrun.convert")
          .attr("as_array")(object, nb::str(wanted.data(), wanted.size()), nb::str(what.data(), what.size()));
  if (!PyArray_Check(array.ptr())) throw nb::type_error("onnxrun.convert.as_array gave no array");
  return tensor_of_array(array, what);
}

Value sequence_value(nb::handle object, const Type& type, std::string_view what) {
  std::vector<Value> elements;
  const Type unknown;
  for (const nb::handle element : nb::borrow<nb::iterable>(object)) {
    const std::string name = "element " + std::to_string(elements.size()) + " of " + std::string(what);
    elements.push_back(to_value(element, type.element ? *type.element : unknown, name));
  }
  return Value::sequence(elements);
}

Value map_value(nb::handle object, const Type& type, std::string_view what) {
  Type keys, values;
  keys.kind = values.kind = ONNXRUN_KIND_TENSOR;
  keys.dtype = type.key;
  if (type.element) values.dtype = type.element->dtype;
  const auto dict = nb::borrow<nb::dict>(object);
  return Value::map(tensor_value(nb::list(dict.keys()), keys, "the keys of " + std::string(what)),
                    tensor_value(nb::list(dict.values()), values, "the values of " + std::string(what)));
}

}  // namespace

Value to_value(nb::handle object, const Type& type, std::string_view what) {
  if (object.is_none()) return Value();
  if (nb::isinstance<Value>(object)) return value_in(object, what);
  if (type.kind == ONNXRUN_KIND_OPTIONAL && type.element) return to_value(object, *type.element, what);
  const bool list = PyList_Check(object.ptr()) || PyTuple_Check(object.ptr());
  if (type.kind == ONNXRUN_KIND_SEQUENCE) {
    if (!list) refuse(what, std::string("is a sequence: pass a list, not ") + kind_of_object(object));
    return sequence_value(object, type, what);
  }
  if (PyDict_Check(object.ptr())) {
    if (type.kind == ONNXRUN_KIND_TENSOR) refuse(what, "is a tensor: pass an array, not dict");
    return map_value(object, type, what);
  }
  if (type.kind == ONNXRUN_KIND_MAP) refuse(what, std::string("is a map: pass a dict, not ") + kind_of_object(object));
  return tensor_value(object, type, what);
}

Tensor to_writable_tensor(nb::handle object, std::string_view what) {
  if (nb::isinstance<Value>(object)) return Tensor(value_in(object, what));
  if (!PyArray_Check(object.ptr()))
    refuse(what, std::string("can be written to a NumPy array or an onnxrun.Value, not to ") + kind_of_object(object));
  auto* const array = reinterpret_cast<PyArrayObject*>(object.ptr());
  if (!PyArray_ISWRITEABLE(array)) refuse(what, "cannot be written to the array given: it is read-only");
  if (!PyArray_CHKFLAGS(array, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED) || !PyArray_ISNOTSWAPPED(array))
    refuse(what, "can only be written to a contiguous, aligned array in the machine's byte order");
  const onnxrun_dtype dtype = dtype_of(PyArray_DESCR(array));
  if (dtype == ONNXRUN_DTYPE_NONE || dtype_bits(dtype) < 8)
    refuse(what, std::string("cannot be written to an array of ") +
                     nb::str(nb::handle(reinterpret_cast<PyObject*>(PyArray_DESCR(array)))).c_str());
  const npy_intp* const dims = PyArray_DIMS(array);
  return wrap_memory(dtype, Shape(dims, dims + PyArray_NDIM(array)), PyArray_DATA(array),
                     static_cast<size_t>(PyArray_NBYTES(array)), true, object);
}

}  // namespace onnxrun::python
