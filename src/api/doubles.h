// Elements of tensors as doubles.
#pragma once

#include <vector>

#include "base/tensor.h"

namespace onnxrun::api {

// All elements of a tensor that holds no strings; two numbers for a complex one.
std::vector<double> doubles_of(const base::Tensor& tensor);

}  // namespace onnxrun::api
