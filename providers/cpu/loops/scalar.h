// One element of any floating-point or integer type read or written as double: for reference kernels.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace onnxrun::cpu {

using Load = double (*)(const void* data, int64_t index);
using Save = void (*)(void* data, int64_t index, double value);

// Throws Declined for types without one: float16 to float64, bfloat16, bool and the integers of 8 to 64 bits have one. Values beyond
// an integer type's range are saturated, NaN becomes 0.
Load scalar_load(base::DType type);
Save scalar_save(base::DType type);

}  // namespace onnxrun::cpu
