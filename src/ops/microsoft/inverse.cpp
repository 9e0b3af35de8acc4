// com.microsoft.Inverse: the inverses of square matrices.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/elementwise.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_inverse(ir::InferContext& c) {
  infer_like_first(c);
  const ir::Shape* shape = c.shape(0);
  if (shape == nullptr) return;
  if (shape->size() < 2) c.fail("'X' must have rank 2 or more, got {}", c.input(0).to_string());
  unify(c, shape->back(), (*shape)[shape->size() - 2], "the rows and columns of the matrices 'X'");
}

}  // namespace

void define_microsoft_inverse(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "Inverse",
             .versions = {1},
             .signature = {.inputs = "X:T", .outputs = "Y:T", .types = "T: floats"},
             .infer = infer_inverse});
}

}  // namespace onnxrun::ops
