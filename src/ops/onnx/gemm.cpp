// Gemm: alpha * A' * B' + beta * C (ONNX Gemm-13).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/products.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;

// Gemm-1 and Gemm-6 say with `broadcast` that C broadcasts, which it always may since.
void lift_gemm(ir::Expansion& e, int since) {
  if (since < 7) e.drop({"broadcast"});
  e.keep();
}

void lower_gemm(ir::Lowering& l, int opset) {
  if (opset < 7 && l.has_input(2)) l.attributes().set("broadcast", int64_t{1});
  l.keep();
}

}  // namespace

void infer_gemm(ir::InferContext& c) {
  const Shape *a = c.shape(0), *b = c.shape(1);
  if (a != nullptr && a->size() != 2) c.fail("input 'A' has the shape {}, expected a matrix", ir::to_string(*a));
  if (b != nullptr && b->size() != 2) c.fail("input 'B' has the shape {}, expected a matrix", ir::to_string(*b));
  const size_t ta = c.attributes().get_int("transA", 0) != 0, tb = c.attributes().get_int("transB", 0) != 0;
  if (a != nullptr && b != nullptr) {
    const Dim &left = (*a)[1 - ta], &right = (*b)[tb];
    if (left.is_constant() && right.is_constant() && left.value() != right.value())
      c.fail(
          "input 'A' of shape {} (transA={}) and 'B' of shape {} (transB={}) do not multiply: {} columns against {} "
          "rows",
          ir::to_string(*a), ta, ir::to_string(*b), tb, left.value(), right.value());
  }
  Shape out{a ? (*a)[ta] : Dim(), b ? (*b)[1 - tb] : Dim()};
  if (c.has_input(2)) check_broadcasts_to(c, 2, "C", out);
  c.set(0, c.dtype(0), out);
}

void define_onnx_gemm(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Gemm",
             .versions = {1, 6, 7, 9, 11, 13},
             .signature = {.inputs = "A:T, B:T, C?:T",
                           .outputs = "Y:T",
                           .types = "T: floats uint32 uint64 int32 int64",
                           .attributes = "alpha:float, beta:float, transA:int, transB:int"},
             .infer = infer_gemm,
             .lift = lift_gemm,
             .lower = lower_gemm});
}

}  // namespace onnxrun::ops
