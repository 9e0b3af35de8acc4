// com.microsoft.DynamicTimeWarping: the cheapest path through a matrix of costs.
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_warping(ir::InferContext& c) {
  const ir::Shape* shape = c.shape(0);
  if (shape != nullptr) {
    if (shape->size() != 2 && shape->size() != 3)
      c.fail("'input' must have rank 2 or 3, got {}", c.input(0).to_string());
    if (shape->size() == 3 && (*shape)[0].is_constant() && (*shape)[0].value() != 1)
      c.fail("the first dim of 'input' must be 1, got {}", c.input(0).to_string());
    for (size_t d = shape->size() - 2; d < shape->size(); ++d)
      if ((*shape)[d].value() == 0) c.fail("'input' {} is empty", c.input(0).to_string());
  }
  c.set(0, ir::DType::kInt32, ir::Shape{2, ir::Dim()});
}

}  // namespace

void define_microsoft_dynamic_time_warping(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "DynamicTimeWarping",
             .versions = {1},
             .signature = {.inputs = "input:float32", .outputs = "output:int32"},
             .flags = ir::kDataShape,
             .infer = infer_warping});
}

}  // namespace onnxrun::ops
