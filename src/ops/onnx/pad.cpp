// Pad: elements put around a tensor or, with negative counts, cut off it (ONNX Pad-25).
#include <numeric>

#include "base/shape.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/attributes/pad.h"
#include "ops/constant_scalar.h"
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
    c.fail("'pads' {} and {} take more than all of axis {} of 'data' {}", begin.value(), end.value(), axis,
           c.input(0).to_string());
  if (mode != attributes::PadMode::kConstant && kept.value() == 0 && out.value() > 0)
    c.fail("axis {} of 'data' {} has no elements to pad with", axis, c.input(0).to_string());
  return out;
}

void infer_pad(InferContext& c) {
  const auto mode = attributes::pad_mode(c.attributes());
  if (c.rank(1) >= 0 && c.rank(1) != 1) c.fail("'pads' must have one dimension, got {}", c.input(1).to_string());
  if (const Shape* value = c.shape(2)) {
    const Dim count = ir::element_count(*value);
    if (count.is_constant() && count.value() != 1)
      c.fail("'constant_value' must have one element, got {}", c.input(2).to_string());
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
  if (const Shape* given = c.shape(1); given != nullptr && given->front().is_constant() &&
                                       given->front().value() != 2 * static_cast<int64_t>(axes.size()))
    c.fail("'pads' must have two elements for each of {} axes, it has {}", axes.size(), given->front().value());
  Shape out = *input;
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
    const base::Tensor constant = float_as_scalar(value, e.fact(e.input(0)).dtype);
    e.set_input(
        2, constant ? e.constant(constant) : e.emit("CastLike", {e.constant(base::Tensor::scalar(value)), e.input(0)}));
  }
  e.keep();
}

// 'axes' came with opset 18: without it 'pads' has two elements for each axis.
void spread_pads(ir::Lowering& l) {
  const auto axes = l.known_ints(3, "axes"), pads = l.known_ints(1, "pads");
  const int64_t rank = l.fact(l.input(0)).rank();
  if (!axes || !pads) return;
  if (rank < 0) return l.refuse("it has 'axes' and the rank of 'data' is not known");
  std::vector<int64_t> all(static_cast<size_t>(2 * rank), 0);
  const auto places = base::normalize_axes(*axes, rank, "axes");
  for (size_t i = 0; i < places.size() && i + places.size() < pads->size(); ++i) {
    all[static_cast<size_t>(places[i])] = (*pads)[i];
    all[static_cast<size_t>(places[i] + rank)] = (*pads)[i + places.size()];
  }
  l.drop_input(3);
  l.set_input(1, l.int64s(all));
}

void lower_pad(ir::Lowering& l, int opset) {
  if (opset < 19 && l.attributes().get_string("mode", "constant") == "wrap")
    return l.refuse("its mode 'wrap' came with opset 19");
  if (opset < 18 && l.has_input(3)) spread_pads(l);
  if (opset < 11 && !l.refused()) {
    l.input_to_ints(1, opset < 2 ? "paddings" : "pads");
    if (l.has_input(2)) {
      const auto value = scalar_as_float(l.constant_input(2));
      if (!value) return l.refuse("its input 'constant_value' is no constant that a float holds");
      l.attributes().set("value", *value);
      l.drop_input(2);
    }
  }
  l.keep();
}

}  // namespace

void define_onnx_pad(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Pad",
             .versions = {1, 2, 11, 13, 18, 19, 21, 23, 24, 25},
             .signature = {.inputs = "data:T, pads:int64, constant_value?:T, axes?:I",
                           .outputs = "output:T",
                           .types = "T: all | I: int32 int64",
                           .attributes = "mode:string"},
             .infer = infer_pad,
             .lift = lift_pad,
             .lower = lower_pad});
}

}  // namespace onnxrun::ops
