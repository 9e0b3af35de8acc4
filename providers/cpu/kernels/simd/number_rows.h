// Row kernels of comparisons, logic and simple arithmetic for whole types, built per instruction set level.
#pragma once

#include <string_view>

#include "base/dtype.h"
#include "cpu/loops/row.h"
#include "simd_levels.h"

namespace onnxrun::cpu::simd {

// The row kernel of an operator on operands of one type, or null where there is none: results are those of loops/number_functions.h, of comparisons and logic (truth_row) bytes of
// 0 or 1, of arithmetic (number_row) of the operands' type.
#define ONNXRUN_DECLARE_LEVEL(level)                           \
  namespace level {                                            \
  RowKernel truth_row(std::string_view op, base::DType type);  \
  RowKernel number_row(std::string_view op, base::DType type); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE_LEVEL)
#undef ONNXRUN_DECLARE_LEVEL

// Those of the level in use.
RowKernel truth_row(std::string_view op, base::DType type);
RowKernel number_row(std::string_view op, base::DType type);

}  // namespace onnxrun::cpu::simd
