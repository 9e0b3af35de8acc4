// Constants between inputs and the attributes that older operator versions had in their place.
#pragma once

#include <optional>
#include <vector>

#include "ir/lowering.h"

namespace onnxrun::ops {

// The one element of a floating-point constant as a float that is exactly it; none where there is no such.
std::optional<float> scalar_as_float(const ir::Tensor& tensor);

// A scalar of an element type, rounded to it; none for types that are no plain floats.
ir::Tensor float_as_scalar(float value, ir::DType dtype);

// The value in another shape of as many elements: a new constant, or a Reshape of what is none.
ir::ValueId reshaped_constant(ir::Lowering& l, ir::ValueId value, const std::vector<int64_t>& dims);

}  // namespace onnxrun::ops
