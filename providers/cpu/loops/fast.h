// The float32 kernels of kernels/simd/ as kernel classes.
#pragma once

#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {

// An elementwise family whose kernels are those of kernels/simd/, for what is computed in float32. Family may name them
// other than by the operator with `static std::string_view simd_name(const Node&)`.
template <class Family>
struct Fast : Family {
  static RowChoice choose(const Node& node) {
    const DType work = work_type(dtype(node.input(0)));
    if (work != DType::kFloat32) return {};
    const RowKernel row = simd::float_row(name(node));
    return row != nullptr ? all_in(work, row) : RowChoice{};
  }

 private:
  static std::string_view name(const Node& node) {
    if constexpr (requires { Family::simd_name(node); }) return Family::simd_name(node);
    else return node.op();
  }
};

}  // namespace onnxrun::cpu
