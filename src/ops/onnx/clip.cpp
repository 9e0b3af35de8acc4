// Clip: limits elements to [min, max] (ONNX Clip-13).
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

void check_scalar(const ir::InferContext& c, size_t i, const char* name) {
  const ir::Shape* shape = c.shape(i);
  if (shape == nullptr) return;
  const Dim count = ir::element_count(*shape);
  if (count.is_constant() && count.value() != 1)
    c.fail("input '{}' of Clip must hold one element, its shape is {}", name, ir::to_string(*shape));
}

void infer_clip(ir::InferContext& c) {
  check_scalar(c, 1, "min");
  check_scalar(c, 2, "max");
  infer_like_first(c);
  if (c.has_input(1) && c.has_input(2))
    propagate(
        c, +[](const Dim& x, const Dim& low, const Dim& high) { return min(max(x, low), high); });
  else if (c.has_input(1))
    propagate(
        c, +[](const Dim& x, const Dim& low) { return max(x, low); });
}

// Limits were attributes before opset 11.
void lift_clip(ir::Expansion& e, int since) {
  if (since < 11) {
    size_t input = 1;
    for (const char* name : {"min", "max"}) {
      if (e.attributes().has(name)) {
        ir::ValueId limit = e.constant(ir::Tensor::scalar(e.attributes().get_float(name, 0.0f)));
        const ir::DType dtype = e.fact(e.input(0)).dtype;
        if (dtype == ir::DType::kNone) limit = e.emit("CastLike", {limit, e.input(0)});
        else if (dtype != ir::DType::kFloat32) limit = e.emit("Cast", {limit}, {{"to", static_cast<int64_t>(dtype)}});
        e.set_input(input, limit);
      }
      ++input;
    }
    e.drop({"min", "max", "consumed_inputs"});
  }
  e.keep();
}

bool decompose_clip(ir::Expansion& e) {
  ir::ValueId x = e.input(0);
  if (e.has_input(1)) x = e.emit("Max", {x, e.input(1)});
  if (e.has_input(2)) x = e.emit("Min", {x, e.input(2)});
  e.bind(0, x);
  return true;
}

}  // namespace

void define_onnx_clip(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Clip",
             .versions = {1, 6, 11, 12, 13},
             .signature = {.inputs = "input:T, min?:T, max?:T", .outputs = "output:T", .types = "T: numeric"},
             .infer = infer_clip,
             .lift = lift_clip,
             .decompose = decompose_clip});
}

}  // namespace onnxrun::ops
