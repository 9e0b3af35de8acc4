// The row kernels of kernels/simd/ as kernel classes.
#pragma once

#include "cpu/kernels/simd/float_rows.h"
#include "cpu/kernels/simd/number_rows.h"
#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {

// An elementwise family whose kernels are those of kernels/simd/. Family may name them other than by the operator with
// `static std::string_view simd_name(const Node&)`, and say where its rows are: those of float32 by `static RowKernel float_row(std::string_view)`, of other
// types by `static RowKernel other_row(std::string_view, DType)`.
template <class Family>
struct Fast : Family {
  static RowChoice choose(const Node& node) {
    RowChoice choice = Family::choose(node);
    if (choice.kernel == nullptr) return choice;
    const DType work = work_type(dtype(node.input(0)));
    // Rows of a family that computes in another type are not ours.
    const bool same = choice.in[0] == DType::kNone || choice.in[0] == work;
    choice.kernel = same ? row(name(node), work) : nullptr;
    return choice;
  }

 private:
  static RowKernel row(std::string_view op, DType work) {
    const RowKernel kernel = work == DType::kFloat32 ? first_row(op) : nullptr;
    if constexpr (requires { Family::other_row(op, work); })
      return kernel != nullptr ? kernel : Family::other_row(op, work);
    else return kernel;
  }
  static RowKernel first_row(std::string_view op) {
    if constexpr (requires { Family::float_row(op); }) return Family::float_row(op);
    else return simd::float_row(op);
  }
  static std::string_view name(const Node& node) {
    if constexpr (requires { Family::simd_name(node); }) return Family::simd_name(node);
    else return node.op();
  }
};

}  // namespace onnxrun::cpu
