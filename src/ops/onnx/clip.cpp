// Clip: limits elements to [min, max] (ONNX Clip-13).
#include <cmath>
#include <limits>

#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/constant_scalar.h"
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
      const float value = e.attributes().get_float(name, 0.0f);
      // Infinity is how no limit is written where the default is the largest float.
      if (e.attributes().has(name) && !std::isinf(value)) {
        if (const ir::Tensor limit = float_as_scalar(value, e.fact(e.input(0)).dtype))
          e.set_input(input, e.constant(limit));
        else e.set_input(input, e.emit("CastLike", {e.constant(ir::Tensor::scalar(value)), e.input(0)}));
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

// From opset 6 on an attribute left out means the largest float, so that no limit is written as infinity.
void lower_clip(ir::Lowering& l, int opset) {
  if (opset < 11) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::optional<float> limits[2] = {-kInfinity, kInfinity};
    for (size_t i : {0, 1}) {
      if (!l.has_input(i + 1)) continue;
      limits[i] = scalar_as_float(l.constant_input(i + 1));
      if (!limits[i]) return l.refuse("its limits are no constants that floats hold");
    }
    l.source().inputs.resize(1);
    l.attributes().set("min", *limits[0]);
    l.attributes().set("max", *limits[1]);
  }
  l.keep();
}

}  // namespace

void define_onnx_clip(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Clip",
             .versions = {1, 6, 11, 12, 13},
             .signature = {.inputs = "input:T, min?:T, max?:T", .outputs = "output:T", .types = "T: numeric"},
             .infer = infer_clip,
             .lift = lift_clip,
             .lower = lower_clip,
             .decompose = decompose_clip});
}

}  // namespace onnxrun::ops
