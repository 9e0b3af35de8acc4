// OneHot: an axis that is on at an index and off elsewhere (ONNX OneHot-28).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// The depth, also where it is a constant of a float type.
Dim depth(InferContext& c) {
  if (const Shape* shape = c.shape(1)) {
    const Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1)
      c.fail("'depth' must have one element, got {}", c.input(1).to_string());
  }
  if (const base::Tensor* constant = c.constant(1)) {
    if (base::is_float(constant->dtype())) {
      double value = 0;
      switch (constant->dtype()) {
        case ir::DType::kFloat32: value = *constant->data<float>(); break;
        case ir::DType::kFloat64: value = *constant->data<double>(); break;
        case ir::DType::kFloat16: value = static_cast<float>(*constant->data<base::Float16>()); break;
        default: return Dim();
      }
      if (!(value >= 0 && value < 9e18)) c.fail("'depth' must not be negative, got {}", value);
      return Dim(static_cast<int64_t>(value));
    }
  }
  const auto elements = c.elements(1);
  return elements && elements->size() == 1 ? checked_dim(c, elements->front(), "'depth'") : Dim();
}

void infer_one_hot(InferContext& c) {
  if (const Shape* values = c.shape(2)) {
    if (values->size() != 1 || ((*values)[0].is_constant() && (*values)[0].value() != 2))
      c.fail("'values' must be [off, on], got {}", c.input(2).to_string());
  }
  const Dim size = depth(c);
  const Shape* indices = c.shape(0);
  if (indices == nullptr) return c.set(0, c.dtype(2));
  const auto rank = static_cast<int64_t>(indices->size());
  const int64_t axis = c.attributes().get_int("axis", -1);
  if (axis < -rank - 1 || axis > rank) c.fail("'axis' is {}, but must be from {} to {}", axis, -rank - 1, rank);
  check_rank(c, indices->size() + 1);
  Shape out = *indices;
  out.insert(out.begin() + (axis < 0 ? axis + rank + 1 : axis), size);
  c.set(0, c.dtype(2), std::move(out));
}

}  // namespace

void define_onnx_one_hot(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "OneHot",
             .versions = {9, 11, 28},
             .signature = {.inputs = "indices:T1, depth:T2, values:T3",
                           .outputs = "output:T3",
                           .types = "T1: numeric | T2: numeric | T3: all",
                           .attributes = "axis:int"},
             .infer = infer_one_hot});
}

}  // namespace onnxrun::ops
