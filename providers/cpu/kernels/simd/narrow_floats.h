// float16 and bfloat16 to and from float32, built per instruction set level.
#pragma once

#include <cstdint>

#include "base/floats.h"
#include "simd_levels.h"

namespace onnxrun::cpu::simd {

// Each converts `count` contiguous elements to nearest even, as base::convert does; NaN stays NaN. Results do not
// depend on how the thread treats denormals.
#define ONNXRUN_DECLARE_LEVEL(level)                                  \
  namespace level {                                                   \
  void convert(const base::Float16* from, float* to, int64_t count);  \
  void convert(const float* from, base::Float16* to, int64_t count);  \
  void convert(const base::Bfloat16* from, float* to, int64_t count); \
  void convert(const float* from, base::Bfloat16* to, int64_t count); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE_LEVEL)
#undef ONNXRUN_DECLARE_LEVEL

// Those of the level in use.
void convert(const base::Float16* from, float* to, int64_t count);
void convert(const float* from, base::Float16* to, int64_t count);
void convert(const base::Bfloat16* from, float* to, int64_t count);
void convert(const float* from, base::Bfloat16* to, int64_t count);

}  // namespace onnxrun::cpu::simd
