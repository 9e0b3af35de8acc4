// Names of element types.
#include "dtype_names.h"

#include <array>

namespace cli {
namespace {

constexpr std::array<std::string_view, 29> kNames = {
    "none",       "float32",      "uint8",          "int8",       "uint16",         "int16",  "int32",     "int64",
    "string",     "bool",         "float16",        "float64",    "uint32",         "uint64", "complex64", "complex128",
    "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",  "int4",      "float4e2m1",
    "float8e8m0", "uint2",        "int2",           "float6e2m3", "float6e3m2"};

}  // namespace

std::string_view dtype_name(int dtype) {
  return dtype >= 0 && static_cast<size_t>(dtype) < kNames.size() ? kNames[static_cast<size_t>(dtype)] : "?";
}

bool is_float(int dtype) {
  const std::string_view name = dtype_name(dtype);
  return name.starts_with("float") || name.starts_with("bfloat") || name.starts_with("complex");
}

bool is_integer(int dtype) {
  const std::string_view name = dtype_name(dtype);
  return name.starts_with("int") || name.starts_with("uint");
}

}  // namespace cli
