// Row kernels for float32 of the elementwise operators, built per instruction set level.
#pragma once

#include <string_view>

#include "cpu/loops/row.h"
#include "simd_levels.h"

namespace onnxrun::cpu::simd {

// The float32 row kernel of an operator, or null when there is none; "GeluTanh" is Gelu's formula with tanh.
// Activations expect ActivationAttributes as the row's parameters. Results are within 2.5 units in the last place of
// the exact value except for Swish, SwiGLU and Mish (4), Gelu (6) and GeluTanh (its formula's argument is rounded
// first); infinities and NaN as the functions have them.
// float_activation has the activations only, so that a reduced build without other operators does without their rows.
#define ONNXRUN_DECLARE_LEVEL(level)               \
  namespace level {                                \
  RowKernel float_row(std::string_view op);        \
  RowKernel float_activation(std::string_view op); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE_LEVEL)
#undef ONNXRUN_DECLARE_LEVEL

// Those of the level in use.
RowKernel float_row(std::string_view op);
RowKernel float_activation(std::string_view op);

}  // namespace onnxrun::cpu::simd
