// Converting results.
#include "from_value.h"

#include "dtypes.h"
#include "numpy_api.h"
#include "packed.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

struct Info {
  onnxrun_dtype dtype;
  const int64_t* dims;
  size_t rank;
  int64_t count;
};

Info info_of(const Value& value) {
  int32_t dtype = 0;
  Info info{};
  detail::check(api().value_tensor_info(value.get(), &dtype, &info.dims, &info.rank, &info.count));
  info.dtype = static_cast<onnxrun_dtype>(dtype);
  return info;
}

// An array of its own, or with `data` a view of memory that `owner` keeps alive.
nb::object make_array(const Info& info, void* data, bool writable, nb::object owner) {
  static_assert(sizeof(npy_intp) == sizeof(int64_t));
  PyObject* const array = PyArray_NewFromDescr(
      &PyArray_Type, descr_of(info.dtype), static_cast<int>(info.rank), reinterpret_cast<const npy_intp*>(info.dims),
      nullptr, data, data != nullptr ? NPY_ARRAY_C_CONTIGUOUS | (writable ? NPY_ARRAY_WRITEABLE : 0) : 0, nullptr);
  if (array == nullptr) nb::raise_python_error();
  nb::object result = nb::steal(array);
  if (data != nullptr) {
    PyArray_UpdateFlags(reinterpret_cast<PyArrayObject*>(array), NPY_ARRAY_ALIGNED);
    if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(array), owner.release().ptr()) != 0)
      nb::raise_python_error();
  }
  return result;
}

nb::object strings_array(const Value& value, const Info& info) {
  nb::object result = make_array(info, nullptr, true, {});
  auto* const elements = static_cast<PyObject**>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(result.ptr())));
  for (int64_t i = 0; i < info.count; ++i) {
    const char* text = nullptr;
    size_t length = 0;
    detail::check(api().value_string(value.get(), i, &text, &length));
    PyObject* const decoded = PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(length), "surrogateescape");
    if (decoded == nullptr) nb::raise_python_error();
    Py_XSETREF(elements[i], decoded);
  }
  return result;
}

nb::object tensor_to_python(Value value, bool own) {
  const Info info = info_of(value);
  if (info.rank > NPY_MAXDIMS)
    throw Error(Code::kUnsupported, "NumPy has no arrays of " + std::to_string(info.rank) + " dimensions");
  if (info.dtype == ONNXRUN_DTYPE_STRING) return strings_array(value, info);
  const void* data = nullptr;
  size_t bytes = 0;
  detail::check(api().value_data(value.get(), &data, &bytes));
  if (const int bits = dtype_bits(info.dtype); bits < 8) {
    nb::object result = make_array(info, nullptr, true, {});
    unpack(static_cast<const uint8_t*>(data), static_cast<size_t>(info.count), bits,
           static_cast<uint8_t*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(result.ptr()))));
    return result;
  }
  void* writable = nullptr;
  onnxrun_status* const refused = api().value_mutable_data(value.get(), &writable, nullptr);
  api().status_free(refused);
  const nb::object owner = nb::cast(std::move(value));
  nb::object view = make_array(info, const_cast<void*>(data), refused == nullptr, owner);
  return refused != nullptr && own ? view.attr("copy")() : view;
}

nb::object map_to_python(const Value& value) {
  const nb::object keys = tensor_to_python(value.keys(), false).attr("tolist")();
  const nb::object values = tensor_to_python(value.values(), false).attr("tolist")();
  return nb::module_::import_("builtins").attr("dict")(nb::module_::import_("builtins").attr("zip")(keys, values));
}

}  // namespace

nb::object to_python(Value value, bool own) {
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: return tensor_to_python(std::move(value), own);
    case ONNXRUN_KIND_SEQUENCE: {
      nb::list list;
      for (Value& element : value.elements()) list.append(to_python(std::move(element), own));
      return list;
    }
    case ONNXRUN_KIND_MAP: return map_to_python(value);
    default: return nb::none();
  }
}

}  // namespace onnxrun::python
