// Where: elements of X where the condition holds, of Y elsewhere (ONNX Where-16).
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

Dim choose(const Dim& condition, const Dim& x, const Dim& y) {
  if (condition.is_constant()) return condition.value() != 0 ? x : y;
  return x == y ? x : Dim();
}

void infer_where(ir::InferContext& c) {
  c.set(0, c.dtype(1), broadcast_inputs(c, 3));
  propagate(c, choose);
}

}  // namespace

void define_onnx_where(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Where",
             .versions = {9, 16},
             .signature = {.inputs = "condition:bool, X:T, Y:T",
                           .outputs = "output:T",
                           .types = "T: numeric bool string complex"},
             .infer = infer_where});
}

}  // namespace onnxrun::ops
