// Conversions between the types that models convert most, built per instruction set level.
#pragma once

#include "base/dtype.h"
#include "cpu/loops/convert.h"
#include "simd_levels.h"

namespace onnxrun::cpu::simd {

// Between two of float32, float64, int8, uint8, int32, int64 and bool, as loops/convert_element.h has them; null for other types and equal ones.
#define ONNXRUN_DECLARE_LEVEL(level)                      \
  namespace level {                                       \
  Converter conversion(base::DType from, base::DType to); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE_LEVEL)
#undef ONNXRUN_DECLARE_LEVEL

// That of the level in use.
Converter conversion(base::DType from, base::DType to);

}  // namespace onnxrun::cpu::simd
