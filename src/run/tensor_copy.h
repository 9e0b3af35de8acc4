// Copying tensors in host memory, and making values independent of memory that a caller owns.
#pragma once

#include <span>

#include "base/value.h"
#include "run/tensor_pool.h"

namespace onnxrun::run {

// Copies the elements of a host view to a tensor of the same type and size; the two may overlap.
void copy_elements(const onnxrun_tensor& from, base::Tensor& to);

base::Tensor copy_of(const onnxrun_tensor& view, TensorPool& pool);

// The value with those of its tensors copied that lie in a buffer of one of `lenders`.
base::Value detached(const base::Value& value, std::span<const base::Value* const> lenders,
                     const base::BudgetPtr& budget);

}  // namespace onnxrun::run
