// The `reduction` attribute of ScatterElements and ScatterND.
#pragma once

#include "ir/infer.h"
#include "ops/attributes/reduction_mode.h"

namespace onnxrun::ops {

// Refuses unknown reductions, and arithmetic on types that have none.
inline void check_reduction(ir::InferContext& c) {
  const auto mode = attributes::reduction_mode(c.attributes());
  if (mode == attributes::ReductionMode::kNone) return;
  const ir::DType dtype = c.dtype(0);
  if (dtype == ir::DType::kString || (base::is_float(dtype) && base::dtype_bits(dtype) <= 8) ||
      base::is_sub_byte(dtype) || (base::is_complex(dtype) && mode >= attributes::ReductionMode::kMax))
    c.fail("'reduction' {} is not defined for elements of type {}", c.attributes().get_string("reduction"),
           base::dtype_name(dtype));
}

}  // namespace onnxrun::ops
