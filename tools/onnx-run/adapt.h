// Inputs made to fit: other element types, other numbers of rows. Small models do it, so that every type follows the operators' rules.
#pragma once

#include <onnxrun/onnxrun.hpp>

namespace cli {

// Cast as the operator Cast does.
onnxrun::Tensor cast(const onnxrun::Tensor& tensor, onnxrun_dtype dtype);

// As many rows (entries of the first dimension) as wanted: cut off, or from the first again after the last. A tensor without rows stays as it is.
onnxrun::Tensor with_rows(const onnxrun::Tensor& tensor, int64_t rows);

}  // namespace cli
