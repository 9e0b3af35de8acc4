// ArgMax and ArgMin: the index of the extreme element along an axis (ONNX, opset 13).
#include "base/shape.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

void infer_arg(ir::InferContext& c) {
  const bool keepdims = c.attributes().get_int("keepdims", 1) != 0;
  const ir::Shape* shape = c.shape(0);
  if (shape == nullptr) return c.set(0, ir::DType::kInt64);
  if (shape->empty()) c.fail("'data' must have rank 1 or more, got a scalar");
  const int64_t axis = base::normalize_axis(c.attributes().get_int("axis", 0), c.rank(0));
  const ir::Dim& size = (*shape)[static_cast<size_t>(axis)];
  if (size.is_constant() && size.value() == 0)
    c.fail("axis {} of 'data' {} is empty: it has no extreme element", axis, c.input(0).to_string());
  c.set(0, ir::DType::kInt64, reduce_shape(*shape, {{axis}}, keepdims));
}

}  // namespace

void define_onnx_arg_max(ir::OpTable& table) {
  for (const char* name : {"ArgMax", "ArgMin"})
    table.add({.domain = "",
               .name = name,
               .versions = {1, 11, 12, 13},
               .signature = {.inputs = "data:T",
                             .outputs = "reduced:int64",
                             .types = "T: numeric",
                             .attributes = "axis:int, keepdims:int, select_last_index:int"},
               .infer = infer_arg});
}

}  // namespace onnxrun::ops
