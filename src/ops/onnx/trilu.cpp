// Trilu: keeps the upper or lower triangle of the last two axes (ONNX Trilu-14).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_trilu(ir::InferContext& c) {
  if (c.rank(0) >= 0 && c.rank(0) < 2)
    c.fail("'input' must have two dimensions or more, got {}", c.input(0).to_string());
  if (const ir::Shape* k = c.shape(1)) {
    const ir::Dim count = ir::element_count(*k);
    if (count.is_constant() && count.value() != 1) c.fail("'k' must have one element, got {}", c.input(1).to_string());
  }
  c.set(0, c.dtype(0), shape_of(c, 0));
}

}  // namespace

void define_onnx_trilu(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Trilu",
             .versions = {14},
             .signature =
                 {.inputs = "input:T, k?:int64", .outputs = "output:T", .types = "T: all", .attributes = "upper:int"},
             .infer = infer_trilu});
}

}  // namespace onnxrun::ops
