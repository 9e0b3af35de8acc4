// Reductions of one run of elements into another: what ScatterElements and ScatterND do with their updates.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "ops/attributes/reduction_mode.h"

namespace onnxrun::cpu {

// to[i] = combine(to[i], from[i]) for `count` elements. Integers wrap, bool adds as "or" and multiplies as "and", max and min
// give NaN where either side is.
using Combine = void (*)(void* to, const void* from, int64_t count);

// Null where the element type has no such arithmetic.
Combine find_combine(base::DType dtype, ops::attributes::ReductionMode mode);

}  // namespace onnxrun::cpu
