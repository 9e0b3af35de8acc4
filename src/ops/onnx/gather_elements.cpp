// GatherElements and ScatterElements: elements picked or placed by an index along one axis (ONNX GatherElements-13, ScatterElements-18).
#include "base/shape.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/known_values.h"
#include "ops/reduction_mode.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// Checks that 'indices' lies within 'data' along every axis but the operator's.
void check_indices(InferContext& c) {
  const Shape* data = c.shape(0);
  const Shape* indices = c.shape(1);
  if (data == nullptr) return;
  if (data->empty()) c.fail("'data' must have one dimension or more, got {}", c.input(0).to_string());
  const int64_t axis = base::normalize_axis(c.attributes().get_int("axis", 0), c.rank(0));
  if (indices == nullptr) return;
  if (data->size() != indices->size())
    c.fail("'data' and 'indices' must have the same rank, got {} and {}", c.input(0).to_string(),
           c.input(1).to_string());
  for (size_t i = 0; i < data->size(); ++i) {
    const Dim& have = (*data)[i];
    const Dim& want = (*indices)[i];
    if (static_cast<int64_t>(i) != axis && have.is_constant() && want.is_constant() && want.value() > have.value())
      c.fail("'indices' {} reaches beyond 'data' {} along axis {}", c.input(1).to_string(), c.input(0).to_string(), i);
  }
}

void infer_gather_elements(InferContext& c) {
  check_indices(c);
  c.set(0, c.dtype(0), shape_of(c, 1));
}

void infer_scatter_elements(InferContext& c) {
  check_indices(c);
  check_reduction(c);
  const Shape* indices = c.shape(1);
  const Shape* updates = c.shape(2);
  if (indices != nullptr && updates != nullptr) {
    if (indices->size() != updates->size())
      c.fail("'indices' and 'updates' must have one shape, got {} and {}", c.input(1).to_string(),
             c.input(2).to_string());
    for (size_t i = 0; i < indices->size(); ++i)
      unify(c, (*indices)[i], (*updates)[i], fmt::format("dim {} of 'indices' and 'updates'", i));
  }
  c.set(0, c.dtype(0), shape_of(c, 0));
}

void lift_scatter(ir::Expansion& e, int) {
  e.finish("ScatterElements", {e.input(0), e.input(1), e.input(2)}, {{"axis", e.attributes().get_int("axis", 0)}});
}

bool decompose_scatter(ir::Expansion& e) {
  lift_scatter(e, 0);
  return true;
}

// Scatter is what it was called before opset 11.
void lower_scatter_elements(ir::Lowering& l, int opset) {
  const std::string reduction = l.attributes().get_string("reduction", "none");
  if (opset < 18 && (reduction == "max" || reduction == "min"))
    return l.refuse("its reduction '{}' came with opset 18", reduction);
  if (opset < 11) {
    l.drop_string("reduction", "none");
    l.become("", "Scatter");
  }
  l.keep();
}

}  // namespace

void define_onnx_gather_elements(ir::OpTable& table) {
  const ir::OpSignature scatter = {.inputs = "data:T, indices:I, updates:T",
                                   .outputs = "output:T",
                                   .types = "T: all | I: int32 int64",
                                   .attributes = "axis:int, reduction:string"};
  table.add({.domain = "",
             .name = "GatherElements",
             .versions = {11, 13},
             .signature = {.inputs = "data:T, indices:I",
                           .outputs = "output:T",
                           .types = "T: all | I: int32 int64",
                           .attributes = "axis:int"},
             .infer = infer_gather_elements});
  table.add({.domain = "",
             .name = "ScatterElements",
             .versions = {11, 13, 16, 18},
             .signature = scatter,
             .infer = infer_scatter_elements,
             .lower = lower_scatter_elements});
  table.add({.domain = "",  // the older name of ScatterElements
             .name = "Scatter",
             .versions = {9, 11},
             .signature = scatter,
             .infer = infer_scatter_elements,
             .lift = lift_scatter,
             .decompose = decompose_scatter});
}

}  // namespace onnxrun::ops
