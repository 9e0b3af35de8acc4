// Cutting and joining host tensors along one axis, of any element type.
#pragma once

#include <span>

#include "run/tensor_pool.h"

namespace onnxrun::run {

// Copies `count` elements from index `from_index` on to index `to_index` on.
void copy_elements(const base::Tensor& from, int64_t from_index, base::Tensor& to, int64_t to_index, int64_t count);

// Elements [begin, begin + length) along `axis`; `drop` removes the axis (length must be 1).
base::Tensor slice_axis(const base::Tensor& tensor, int64_t axis, int64_t begin, int64_t length, bool drop,
                        TensorPool& pool);

// Joins tensors that agree in all dims but `axis` (with `stack`: in all dims, along a new axis). `reverse` joins them last to first.
base::Tensor join_axis(std::span<const base::Tensor> tensors, int64_t axis, bool stack, TensorPool& pool,
                       bool reverse = false);

}  // namespace onnxrun::run
