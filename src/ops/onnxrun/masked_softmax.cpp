// MaskedSoftmax: Softmax along the last axis of the sum of X and a mask that broadcasts to it; the optimizer makes it for sessions.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

void infer(ir::InferContext& c) {
  if (c.rank(0) == 0) c.fail("'X' must have rank 1 or more, got a scalar");
  if (c.shape(0) != nullptr) check_broadcasts_to(c, 1, "mask", *c.shape(0));
  c.set(0, c.dtype(0), c.input(0).shape);
}

bool decompose(ir::Expansion& e) {
  e.finish("Softmax", {e.emit("Add", {e.input(0), e.input(1)})}, {{"axis", int64_t{-1}}});
  return true;
}

}  // namespace

void define_onnxrun_masked_softmax(ir::OpTable& table) {
  table.add({.domain = "onnxrun",
             .name = "MaskedSoftmax",
             .versions = {1},
             .signature = {.inputs = "X:float32, mask:float32", .outputs = "Y:float32", .types = "", .attributes = ""},
             .infer = infer,
             .decompose = decompose});
}

}  // namespace onnxrun::ops
