// LpNormalization and MeanVarianceNormalization (ONNX LpNormalization-22, MeanVarianceNormalization-13).
#include "base/shape.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_lp_normalization(ir::InferContext& c) {
  const int64_t p = c.attributes().get_int("p", 2);
  if (p != 1 && p != 2) c.fail("attribute 'p' is {}, expected 1 or 2", p);
  if (c.rank(0) >= 0) base::normalize_axis(c.attributes().get_int("axis", -1), c.rank(0));
  c.set(0, c.dtype(0), c.input(0).shape);
}

void infer_mean_variance_normalization(ir::InferContext& c) {
  if (c.rank(0) >= 0) {
    auto axes = c.attributes().get_ints("axes");
    if (!c.attributes().has("axes")) axes = {0, 2, 3};
    base::normalize_axes(axes, c.rank(0));
  }
  c.set(0, c.dtype(0), c.input(0).shape);
}

}  // namespace

void define_onnx_lp_normalization(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "LpNormalization",
       .versions = {1, 22},
       .signature = {.inputs = "input:T", .outputs = "output:T", .types = "T: floats", .attributes = "axis:int, p:int"},
       .infer = infer_lp_normalization});
  table.add({.domain = "",
             .name = "MeanVarianceNormalization",
             .versions = {9, 13},
             .signature = {.inputs = "X:T", .outputs = "Y:T", .types = "T: floats", .attributes = "axes:ints"},
             .infer = infer_mean_variance_normalization});
}

}  // namespace onnxrun::ops
