// Conversion of runs of elements between numeric types, as ONNX's Cast defines it.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "base/floats.h"

namespace onnxrun::cpu {

// Converts `count` elements from one contiguous array to another; the arrays do not overlap unless they are the same
// and the types have one size.
using Converter = void (*)(const void* from, void* to, int64_t count);

// The conversion between two types of float16, bfloat16, float32, float64, bool and the integers of 8 to 64 bits, and
// between float8 types and float32. Floats round to nearest even (float8 saturating); what an integer cannot hold wraps
// (from integers) or gives what x86's instructions give (from floats; never undefined behaviour). Null for other types.
// Equal types are copied.
Converter converter(base::DType from, base::DType to);

}  // namespace onnxrun::cpu
