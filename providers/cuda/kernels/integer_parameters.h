// Types and scales of operators on 8-bit integers.
#pragma once

#include <initializer_list>

#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {

inline Acceptance no_types(const Node& node, size_t second) {
  return Acceptance::decline(fmt::format("no kernel for {} and {}", base::dtype_name(dtype(node.input(0))),
                                         base::dtype_name(dtype(node.input(second)))));
}

inline bool scale_types(const Node& node, std::initializer_list<size_t> scales) {
  const DType first = dtype(node.input(*scales.begin()));
  for (const size_t i : scales)
    if (dtype(node.input(i)) != first) return false;
  return first == DType::kFloat32 || first == DType::kFloat16 || first == DType::kBfloat16;
}

// The step along `lines` lines of a parameter of one element or of one a line; throws Declined for others.
inline int64_t step_of(const onnxrun_tensor& parameter, int64_t lines) {
  if (!provider::present(parameter)) return 0;
  const int64_t count = provider::count(parameter);
  if (count == 1) return 0;
  if (count != lines) throw provider::Declined{"scales or zero points that differ between matrices"};
  return 1;
}

}  // namespace onnxrun::cuda
