// Runs of elements of any numeric type read as float32, and float32 written as narrow types.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "base/floats.h"

namespace onnxrun::cpu {

// Whether the two functions below take the type: integers of 2 to 32 bits, floats of 4 to 32.
bool has_float_runs(base::DType type);

// Elements [first, first + count) of a contiguous tensor as float32.
void read_floats(base::DType type, const void* data, int64_t first, int64_t count, float* to);

// Writes float32 values, which for integers must be whole and within range. `saturate` matters to float8.
void write_floats(base::DType type, const float* from, void* data, int64_t first, int64_t count,
                  base::Saturate saturate = base::Saturate::kYes);

}  // namespace onnxrun::cpu
