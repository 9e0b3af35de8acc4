// com.microsoft's relatives of Gelu and SiLU: Gelu, BiasGelu, FastGelu, QuickGelu, BiasSplitGelu and ScaledSiLU. All are lifted; of BiasGelu and FastGelu the
// optimizer makes some again.
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/elementwise.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

// Computes `op` of `x` in float32 where the type is narrower, and makes it output 0.
void finish_wide(Expansion& e, ValueId x, std::string_view op, ir::Attributes attributes) {
  Emitter emit(e);
  const ValueId wide = emit.wide(x);
  if (wide == x) return e.finish(op, {x}, std::move(attributes));
  e.finish("Cast", {e.emit(op, {wide}, std::move(attributes))}, {{"to", static_cast<int64_t>(e.fact(x).dtype)}});
}

void lift_gelu(Expansion& e, int) { finish_wide(e, e.input(0), "Gelu", {}); }

ValueId biased(Expansion& e) {
  Emitter emit(e);
  return e.has_input(1) ? emit.cast_like(emit.add(emit.wide(e.input(0)), emit.wide(e.input(1))), e.input(0))
                        : e.input(0);
}

void lift_bias_gelu(Expansion& e, int) { finish_wide(e, biased(e), "Gelu", {}); }
void lift_fast_gelu(Expansion& e, int) { finish_wide(e, biased(e), "Gelu", {{"approximate", std::string("tanh")}}); }
void lift_quick_gelu(Expansion& e, int) {
  finish_wide(e, e.input(0), "Swish", {{"alpha", e.attributes().get_float("alpha", 1.702f)}});
}

// The left half of the last axis times the Gelu of the right half.
void lift_bias_split_gelu(Expansion& e, int) {
  Emitter emit(e);
  const auto halves = emit.split_evenly(emit.add(emit.wide(e.input(0)), emit.wide(e.input(1))), -1, 2);
  e.bind(0, emit.cast_like(emit.mul(halves[0], emit.op("Gelu", {halves[1]})), e.input(0)));
}

// Z = scale * X and the sigmoid of Z are each rounded to X's type.
void lift_scaled_silu(Expansion& e, int) {
  Emitter emit(e);
  const ValueId x = e.input(0);
  const ValueId scale = e.has_input(1) ? emit.reshape(emit.wide(e.input(1)), {})
                                       : emit.number(e.attributes().get_float("alpha", 1.0f), ir::DType::kFloat32);
  const ValueId z = emit.cast_like(emit.mul(scale, emit.wide(x)), x);
  const ValueId gate = emit.cast_like(emit.op("Sigmoid", {emit.wide(z)}), x);
  e.finish("Mul", {z, gate});
}

void infer_split(ir::InferContext& c) {
  auto shape = c.input(0).shape;
  if (shape && !shape->empty()) shape->back() = exact_div(shape->back(), ir::Dim(2));
  c.set(0, c.dtype(0), shape);
}

}  // namespace

void define_microsoft_gelu(ir::OpTable& table) {
  const auto add = [&](const char* name, const char* inputs, const char* attributes, void (*lift)(Expansion&, int),
                       void (*infer)(ir::InferContext&) = infer_like_first, const char* types = "T: floats") {
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs, .outputs = "Y:T", .types = types, .attributes = attributes},
               .infer = infer,
               .lift = lift});
  };
  add("Gelu", "X:T", "", lift_gelu);
  const auto add_biased = [&](const char* name, const char* inputs, void (*lift)(Expansion&, int),
                              bool (*decompose)(Expansion&)) {
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs, .outputs = "Y:T", .types = "T: floats"},
               .infer = infer_like_first,
               .lift = lift,
               .lower = ir::lower_unchanged,
               .decompose = decompose});
  };
  add_biased("BiasGelu", "A:T, B:T", lift_bias_gelu, [](Expansion& e) { return lift_bias_gelu(e, 1), true; });
  add_biased("FastGelu", "X:T, bias?:T", lift_fast_gelu, [](Expansion& e) { return lift_fast_gelu(e, 1), true; });
  add("QuickGelu", "X:T", "alpha:float", lift_quick_gelu);
  add("BiasSplitGelu", "X:T, bias:T", "", lift_bias_split_gelu, infer_split);
  add("ScaledSiLU", "X:T, scale?:S", "alpha:float", lift_scaled_silu, infer_like_first, "T: floats | S: floats");
}

}  // namespace onnxrun::ops
