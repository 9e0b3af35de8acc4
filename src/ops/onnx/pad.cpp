// Pad: elements put around a tensor or, with negative counts, cut off it (ONNX Pad-25).
#include <numeric>

#include "base/shape.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/pad.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

Dim padded(InferContext& c, size_t axis, const Dim& dim, const Dim& begin, const Dim& end, attributes::PadMode mode) {
  const Dim out = dim + begin + end;
  if (!out.is_constant() || !dim.is_constant() || !begin.is_constant() || !end.is_constant()) return out;
  const Dim kept = dim + min(begin, Dim(0)) + min(end, Dim(0));
  if (out.value() < 0 || kept.value() < 0)
    c.fail("'pads' {} and {} take more than all of axis {} of 'data' {}", begin.value(), end.value(), axis, c.input(0).to_string());
  if (mode != attributes::PadMode::kConstant && kept.value() == 0 && out.value() > 0)
    c.fail("axis {} of 'data' {} has no elements to pad with", axis, c.input(0).to_string());
  return out;
}

void infer_pad(InferContext& c) {
  const auto mode = attributes::pad_mode(c.attributes());
  if (c.rank(1) >= 0 && c.rank(1) != 1) c.fail("'pads' must have one dimension, got {}", c.input(1).to_string());
  if (const Shape* value = c.shape(2)) {
    const Dim count = ir::element_count(*value);
    if (count.is_constant() && count.value() != 1) c.fail("'constant_value' must have one element, got {}", c.input(2).to_string());
  }
  const Shape* input = c.shape(0);
  if (input == nullptr) return c.set(0, c.dtype(0));
  std::vector<int64_t> axes(input->size());
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (c.has_input(3)) {
    const auto given = c.ints(3);
    if (!given) return c.set(0, c.dtype(0), Shape(input->size()));
    axes = base::normalize_axes(*given, c.rank(0), "axes");
  }
  const auto pads = c.elements(1);
  Shape out = *input;
  if (pads && pads->size() != 2 * axes.size())
    c.fail("'pads' must have two elements for each of {} axes, it has {}", axes.size(), pads->size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    out[axis] = pads ? padded(c, axis, out[axis], (*pads)[i], (*pads)[axes.size() + i], mode) : Dim();
  }
  c.set(0, c.dtype(0), std::move(out));
}

// Up to opset 10 'pads' (once 'paddings') and 'value' were attributes.
void lift_pad(ir::Expansion& e, int since) {
  if (since >= 11) return e.keep();
  e.attributes().rename("paddings", "pads");
  e.ints_to_input("pads", 1);
  const float value = e.attributes().get_float("value", 0);
  e.drop({"value"});
  if (value != 0) {
    const ir::ValueId constant = e.constant(base::Tensor::scalar<float>(value));
    const bool same = e.fact(e.input(0)).dtype == ir::DType::kFloat32;
    e.set_input(2, same ? constant : e.emit("CastLike", {constant, e.input(0)}));
  }
  e.keep();
}

}  // namespace

void define_onnx_pad(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Pad",
             .versions = {1, 2, 11, 13, 18, 19, 21, 23, 24, 25},
             .signature = {.inputs = "data:T, pads:int64, constant_value?:T, axes?:I", .outputs = "output:T",
                           .types = "T: all | I: int32 int64", .attributes = "mode:string"},
             .infer = infer_pad,
             .lift = lift_pad});
}

}  // namespace onnxrun::ops
