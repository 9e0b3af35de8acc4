// Tables of element types.
#include "dtypes.h"

#include <array>
#include <string>

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

struct Entry {
  std::string_view name;
  int bits;
  int numpy;              // type number; -1: a type of ml_dtypes
  const char* ml_dtypes;  // its name there
};

constexpr std::array<Entry, 29> kEntries = {{
    {"", 0, -1, nullptr},
    {"float32", 32, NPY_FLOAT, nullptr},
    {"uint8", 8, NPY_UINT8, nullptr},
    {"int8", 8, NPY_INT8, nullptr},
    {"uint16", 16, NPY_UINT16, nullptr},
    {"int16", 16, NPY_INT16, nullptr},
    {"int32", 32, NPY_INT32, nullptr},
    {"int64", 64, NPY_INT64, nullptr},
    {"string", 0, NPY_OBJECT, nullptr},
    {"bool", 8, NPY_BOOL, nullptr},
    {"float16", 16, NPY_HALF, nullptr},
    {"float64", 64, NPY_DOUBLE, nullptr},
    {"uint32", 32, NPY_UINT32, nullptr},
    {"uint64", 64, NPY_UINT64, nullptr},
    {"complex64", 64, NPY_CFLOAT, nullptr},
    {"complex128", 128, NPY_CDOUBLE, nullptr},
    {"bfloat16", 16, -1, "bfloat16"},
    {"float8e4m3fn", 8, -1, "float8_e4m3fn"},
    {"float8e4m3fnuz", 8, -1, "float8_e4m3fnuz"},
    {"float8e5m2", 8, -1, "float8_e5m2"},
    {"float8e5m2fnuz", 8, -1, "float8_e5m2fnuz"},
    {"uint4", 4, -1, "uint4"},
    {"int4", 4, -1, "int4"},
    {"float4e2m1", 4, -1, "float4_e2m1fn"},
    {"float8e8m0", 8, -1, "float8_e8m0fnu"},
    {"uint2", 2, -1, "uint2"},
    {"int2", 2, -1, "int2"},
    {"float6e2m3", 6, -1, "float6_e2m3fn"},
    {"float6e3m2", 6, -1, "float6_e3m2fn"},
}};

// The types of ml_dtypes by our number, found when first needed and kept.
PyArray_Descr* ml_descr(size_t index) {
  static std::array<PyArray_Descr*, kEntries.size()> known{};
  if (known[index] == nullptr) {
    const nb::object type = nb::module_::import_("ml_dtypes").attr(kEntries[index].ml_dtypes);
    const nb::object dtype = nb::module_::import_("numpy").attr("dtype")(type);
    known[index] = reinterpret_cast<PyArray_Descr*>(nb::object(dtype).release().ptr());
  }
  return known[index];
}

onnxrun_dtype ml_dtype_of(PyArray_Descr* descr) {
  const nb::object module = nb::module_::import_("sys").attr("modules").attr("get")("ml_dtypes");
  if (module.is_none()) return ONNXRUN_DTYPE_NONE;  // then this is another package's type
  for (size_t i = 0; i < kEntries.size(); ++i) {
    if (kEntries[i].ml_dtypes == nullptr || !nb::hasattr(module, kEntries[i].ml_dtypes)) continue;
    if (ml_descr(i)->type_num == descr->type_num) return static_cast<onnxrun_dtype>(i);
  }
  return ONNXRUN_DTYPE_NONE;
}

}  // namespace

onnxrun_dtype dtype_of(PyArray_Descr* descr) {
  switch (descr->type_num) {
    case NPY_BOOL: return ONNXRUN_DTYPE_BOOL;
    case NPY_BYTE: return ONNXRUN_DTYPE_INT8;
    case NPY_UBYTE: return ONNXRUN_DTYPE_UINT8;
    case NPY_SHORT: return ONNXRUN_DTYPE_INT16;
    case NPY_USHORT: return ONNXRUN_DTYPE_UINT16;
    case NPY_INT: return ONNXRUN_DTYPE_INT32;
    case NPY_UINT: return ONNXRUN_DTYPE_UINT32;
    case NPY_LONG: return sizeof(long) == 8 ? ONNXRUN_DTYPE_INT64 : ONNXRUN_DTYPE_INT32;
    case NPY_ULONG: return sizeof(long) == 8 ? ONNXRUN_DTYPE_UINT64 : ONNXRUN_DTYPE_UINT32;
    case NPY_LONGLONG: return ONNXRUN_DTYPE_INT64;
    case NPY_ULONGLONG: return ONNXRUN_DTYPE_UINT64;
    case NPY_HALF: return ONNXRUN_DTYPE_FLOAT16;
    case NPY_FLOAT: return ONNXRUN_DTYPE_FLOAT32;
    case NPY_DOUBLE: return ONNXRUN_DTYPE_FLOAT64;
    case NPY_CFLOAT: return ONNXRUN_DTYPE_COMPLEX64;
    case NPY_CDOUBLE: return ONNXRUN_DTYPE_COMPLEX128;
    case NPY_OBJECT:
    case NPY_UNICODE:
    case NPY_STRING:
    case NPY_VSTRING: return ONNXRUN_DTYPE_STRING;
    default: return descr->type_num >= NPY_USERDEF ? ml_dtype_of(descr) : ONNXRUN_DTYPE_NONE;
  }
}

PyArray_Descr* descr_of(onnxrun_dtype dtype) {
  const auto index = static_cast<size_t>(dtype);
  if (index == 0 || index >= kEntries.size()) throw nb::type_error("this is no element type");
  if (kEntries[index].ml_dtypes == nullptr) return PyArray_DescrFromType(kEntries[index].numpy);
  PyArray_Descr* const descr = ml_descr(index);
  Py_INCREF(descr);
  return descr;
}

std::string_view dkind_of_object(onnxrun_dtype dtype) {
  const auto index = static_cast<size_t>(dtype);
  return index < kEntries.size() ? kEntries[index].name : std::string_view();
}

onnxrun_dtype dtype_named(std::string_view name) {
  for (size_t i = 1; i < kEntries.size(); ++i)
    if (kEntries[i].name == name) return static_cast<onnxrun_dtype>(i);
  return ONNXRUN_DTYPE_NONE;
}

int dtype_bits(onnxrun_dtype dtype) {
  const auto index = static_cast<size_t>(dtype);
  return index < kEntries.size() ? kEntries[index].bits : 0;
}

onnxrun_dtype dtype_from(nb::handle object) {
  if (PyUnicode_Check(object.ptr())) {
    const char* const name = PyUnicode_AsUTF8(object.ptr());
    if (name == nullptr) nb::raise_python_error();
    if (const onnxrun_dtype named = dtype_named(name); named != ONNXRUN_DTYPE_NONE) return named;
  }
  const nb::object dtype = nb::module_::import_("numpy").attr("dtype")(object);
  const onnxrun_dtype found = dtype_of(reinterpret_cast<PyArray_Descr*>(dtype.ptr()));
  if (found == ONNXRUN_DTYPE_NONE)
    throw nb::type_error(("ONNX has no element type " + std::string(nb::str(dtype).c_str())).c_str());
  return found;
}

}  // namespace onnxrun::python
