// Viewing and copying arrays.
#include "arrays.h"

#include <vector>

#include "dtypes.h"
#include "errors.h"
#include "gil.h"
#include "packed.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

// The last value that shares the memory may go on any thread, or when the interpreter is gone.
void release_owner(void* owner) {
  if (!Py_IsInitialized()) return;
  const WithGil gil;
  Py_DECREF(static_cast<PyObject*>(owner));
}

Shape shape_of(PyArrayObject* array) {
  const npy_intp* const dims = PyArray_DIMS(array);
  return Shape(dims, dims + PyArray_NDIM(array));
}

[[noreturn]] void refuse_type(std::string_view what, nb::handle dtype) {
  throw Error(Code::kInvalidArgument, std::string(what) + " has the type " + nb::str(dtype).c_str() +
                                          ", which ONNX does not have; convert it, as in array.astype(numpy.float32)");
}

// The array itself where it is contiguous, aligned and in the machine's byte order, else a copy that is.
nb::object plain(PyArrayObject* array) {
  constexpr int kWanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
  if (PyArray_CHKFLAGS(array, kWanted) && PyArray_ISNOTSWAPPED(array))
    return nb::borrow(reinterpret_cast<PyObject*>(array));
  PyArray_Descr* const native = PyArray_DescrNewByteorder(PyArray_DESCR(array), NPY_NATIVE);
  if (native == nullptr) nb::raise_python_error();
  PyObject* const copy = PyArray_FromArray(array, native, kWanted | NPY_ARRAY_ENSUREARRAY);
  if (copy == nullptr) nb::raise_python_error();
  return nb::steal(copy);
}

}  // namespace

Tensor wrap_memory(onnxrun_dtype dtype, const Shape& shape, void* data, size_t bytes, bool writable, nb::handle owner) {
  onnxrun_value* made = nullptr;
  detail::check(api().value_wrap_tensor(dtype, shape.data(), shape.size(), data, bytes, writable, &release_owner,
                                        owner.ptr(), &made));
  Py_INCREF(owner.ptr());
  return Tensor(Value(made));
}

Tensor tensor_of_array(nb::handle object, std::string_view what) {
  auto* const given = reinterpret_cast<PyArrayObject*>(object.ptr());
  const onnxrun_dtype dtype = dtype_of(PyArray_DESCR(given));
  if (dtype == ONNXRUN_DTYPE_NONE) refuse_type(what, reinterpret_cast<PyObject*>(PyArray_DESCR(given)));
  if (dtype == ONNXRUN_DTYPE_STRING) return tensor_of_strings(object, what);
  const nb::object kept = plain(given);
  auto* const array = reinterpret_cast<PyArrayObject*>(kept.ptr());
  const Shape shape = shape_of(array);
  if (const int bits = dtype_bits(dtype); bits < 8) {
    Tensor tensor(dtype, shape);
    pack(static_cast<const uint8_t*>(PyArray_DATA(array)), static_cast<size_t>(tensor.count()), bits,
         reinterpret_cast<uint8_t*>(tensor.mutable_bytes().data()));
    return tensor;
  }
  return wrap_memory(dtype, shape, PyArray_DATA(array), static_cast<size_t>(PyArray_NBYTES(array)), false, kept);
}

Tensor tensor_of_strings(nb::handle object, std::string_view what) {
  const nb::object texts = object.attr("astype")("O").attr("ravel")();
  auto* const array = reinterpret_cast<PyArrayObject*>(texts.ptr());
  auto* const elements = static_cast<PyObject**>(PyArray_DATA(array));
  const auto count = static_cast<size_t>(PyArray_SIZE(array));
  std::vector<nb::object> kept;  // what the pointers lie in
  std::vector<const char*> data(count);
  std::vector<size_t> lengths(count);
  for (size_t i = 0; i < count; ++i) {
    nb::object bytes = nb::borrow(elements[i] != nullptr ? elements[i] : Py_None);
    if (PyUnicode_Check(bytes.ptr())) {
      // Lone surrogates stand for bytes that are no UTF-8, as in the results.
      PyObject* const encoded = PyUnicode_AsEncodedString(bytes.ptr(), "utf-8", "surrogateescape");
      if (encoded == nullptr) nb::raise_python_error();
      bytes = nb::steal(encoded);
    }
    if (!PyBytes_Check(bytes.ptr()))
      throw Error(Code::kInvalidArgument, std::string(what) + " must hold strings, but element " + std::to_string(i) +
                                              " is of type " + kind_of_object(bytes));
    data[i] = PyBytes_AS_STRING(bytes.ptr());
    lengths[i] = static_cast<size_t>(PyBytes_GET_SIZE(bytes.ptr()));
    kept.push_back(std::move(bytes));
  }
  const Shape shape = shape_of(reinterpret_cast<PyArrayObject*>(object.ptr()));
  onnxrun_value* made = nullptr;
  detail::check(api().value_create_strings(shape.data(), shape.size(), data.data(), lengths.data(), count, &made));
  return Tensor(Value(made));
}

}  // namespace onnxrun::python
