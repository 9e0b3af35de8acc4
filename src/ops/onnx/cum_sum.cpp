// CumSum and CumProd: running sums and products along an axis (ONNX CumSum-14, CumProd-26).
#include "base/shape.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_cumulative(ir::InferContext& c) {
  if (const ir::Shape* shape = c.shape(1)) {
    const ir::Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1) c.fail("'axis' must be a scalar, got {}", c.input(1).to_string());
  }
  if (c.rank(0) == 0) c.fail("'x' must have one dimension or more, got {}", c.input(0).to_string());
  const auto axis = c.ints(1);
  if (axis && axis->size() == 1 && c.rank(0) >= 0) base::normalize_axis(axis->front(), c.rank(0));
  c.set(0, c.dtype(0), shape_of(c, 0));
}

}  // namespace

void define_onnx_cum_sum(ir::OpTable& table) {
  const ir::OpSignature signature = {.inputs = "x:T, axis:I",
                                     .outputs = "y:T",
                                     .types = "T: floats int32 int64 uint32 uint64 | I: int32 int64",
                                     .attributes = "exclusive:int, reverse:int"};
  table.add({.domain = "", .name = "CumSum", .versions = {11, 14}, .signature = signature, .infer = infer_cumulative});
  table.add({.domain = "", .name = "CumProd", .versions = {26}, .signature = signature, .infer = infer_cumulative});
}

}  // namespace onnxrun::ops
