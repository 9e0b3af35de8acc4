// com.microsoft.SkipLayerNormalization and SkipSimplifiedLayerNormalization: the sum of input, skip and bias, normalised along the last axis. They are lifted;
// the optimizer makes some again.
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

constexpr float kEpsilon = 1e-12f;

// input + skip (+ the bias at `bias`), in float32 for the narrower types; output 3 is the sum.
ValueId summed(Expansion& e, size_t bias) {
  Emitter emit(e);
  ValueId sum = emit.add(emit.wide(e.input(0)), emit.wide(e.input(1)));
  if (e.has_input(bias)) sum = emit.add(sum, emit.wide(e.input(bias)));
  e.bind(3, emit.cast_like(sum, e.input(0)));
  return sum;
}

void lift_skip(Expansion& e, int) {
  Emitter emit(e);
  const ValueId sum = summed(e, 4);
  const bool statistics = e.has_output(1) || e.has_output(2);
  const auto results = e.emit_many(
      "LayerNormalization", {sum, emit.wide(e.input(2)), e.has_input(3) ? emit.wide(e.input(3)) : ir::kNone},
      statistics ? 3 : 1, {{"axis", int64_t{-1}}, {"epsilon", e.attributes().get_float("epsilon", kEpsilon)}});
  e.bind(0, emit.cast_like(results[0], e.input(0)));
  for (size_t i = 1; i < results.size(); ++i) e.bind(i, results[i]);
}

void lift_skip_simplified(Expansion& e, int) {
  Emitter emit(e);
  if (e.has_output(1))
    e.fail("the output 'mean' of SkipSimplifiedLayerNormalization does not exist: nothing is subtracted");
  const ValueId sum = summed(e, 3);
  const ir::Attributes attributes = {{"axis", int64_t{-1}}, {"epsilon", e.attributes().get_float("epsilon", kEpsilon)}};
  if (!e.has_output(2))
    return e.bind(0, emit.cast_like(emit.op("RMSNormalization", {sum, emit.wide(e.input(2))}, attributes), e.input(0)));
  const auto results = e.emit_many("SimplifiedLayerNormalization", {sum, emit.wide(e.input(2))}, 2, attributes);
  e.bind(0, emit.cast_like(results[0], e.input(0)));
  e.bind(2, results[1]);
}

void infer_skip(ir::InferContext& c) {
  const auto& shape = c.input(0).shape;
  std::optional<ir::Shape> statistics = shape;
  if (statistics && !statistics->empty()) statistics->back() = ir::Dim(1);
  c.set(0, c.dtype(0), shape);
  for (size_t i : {1, 2}) c.set(i, ir::DType::kFloat32, statistics);
  c.set(3, c.dtype(0), shape);
}

}  // namespace

void define_microsoft_skip_layer_normalization(ir::OpTable& table) {
  constexpr const char* kOutputs = "output:T, mean?:float32, inv_std_var?:float32, input_skip_bias_sum?:T";
  table.add({.domain = "com.microsoft",
             .name = "SkipLayerNormalization",
             .versions = {1},
             .signature = {.inputs = "input:T, skip:T, gamma:T, beta?:T, bias?:T",
                           .outputs = kOutputs,
                           .types = "T: floats",
                           .attributes = "epsilon:float"},
             .infer = infer_skip,
             .lift = lift_skip,
             .lower = ir::lower_unchanged,
             .decompose = [](Expansion& e) { return lift_skip(e, 1), true; }});
  table.add({.domain = "com.microsoft",
             .name = "SkipSimplifiedLayerNormalization",
             .versions = {1},
             .signature = {.inputs = "input:T, skip:T, gamma:T, bias?:T",
                           .outputs = kOutputs,
                           .types = "T: floats",
                           .attributes = "epsilon:float"},
             .infer = infer_skip,
             .lift = lift_skip_simplified,
             .lower = ir::lower_unchanged,
             .decompose = [](Expansion& e) { return lift_skip_simplified(e, 1), true; }});
}

}  // namespace onnxrun::ops
