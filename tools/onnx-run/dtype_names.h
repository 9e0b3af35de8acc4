// Names and properties of element types for files and messages.
#pragma once

#include <onnxrun/types.h>

#include <string>
#include <string_view>

namespace cli {

// "float32", ... as ONNX and numpy call them; "none" for 0.
std::string_view dtype_name(int dtype);
// Any real or complex floating-point type.
bool is_float(int dtype);
bool is_integer(int dtype);

}  // namespace cli
