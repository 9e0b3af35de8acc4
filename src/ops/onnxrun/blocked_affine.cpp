// BlockedAffine: scale * x + shift for each channel, on blocked channels (src/ops/onnxrun/blocked.cpp).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/fused_activation.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Shape;
using ir::ValueId;

void infer(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  if (in != nullptr && in->size() < 4)
    c.fail("input 'X' has the shape {}, expected [N, blocks of channels, D1, ..., block]", ir::to_string(*in));
  for (const size_t i : {1, 2}) {
    const Shape* vector = c.shape(i);
    if (vector == nullptr) continue;
    const char* name = i == 1 ? "scale" : "shift";
    if (vector->size() != 1) c.fail("input '{}' has the shape {}, expected a vector", name, ir::to_string(*vector));
    if (in != nullptr)
      require_equal(c, (*in)[1], ceil_div((*vector)[0], in->back()),
                    fmt::format("blocks of channels of input 'X' of shape {}, and those of {} channels in '{}'",
                                ir::to_string(*in), (*vector)[0].to_string(), name));
    if (i == 2 && c.shape(1) != nullptr)
      require_equal(c, (*c.shape(1))[0], (*vector)[0], "sizes of 'scale' and 'shift'");
  }
  c.set(0, c.dtype(0), c.input(0).shape);
}

bool decompose(ir::Expansion& e) {
  Emitter emit(e);
  const ir::Fact& fact = e.fact(e.input(0));
  const auto channels = e.fact(e.input(1)).dims();
  if (fact.rank() < 4 || !channels || !fact.shape->back().is_constant()) return false;
  const int64_t rank = fact.rank() - 1, block = fact.shape->back().value();
  Emitter::Ints dims(static_cast<size_t>(rank) - 1, 1);
  dims[0] = channels->front();
  ValueId y = e.emit("FromBlocked", {e.input(0)}, {{"channels", channels->front()}}, "onnxrun");
  y = emit.add(emit.mul(y, emit.reshape(e.input(1), dims)), emit.reshape(e.input(2), dims));
  y = FusedActivation::of_convolution(e.attributes()).emit(e, y);
  e.finish("ToBlocked", {y}, {{"block", block}}, "onnxrun");
  return true;
}

}  // namespace

void define_onnxrun_blocked_affine(ir::OpTable& table) {
  table.add({.domain = "onnxrun",
             .name = "BlockedAffine",
             .versions = {1},
             .signature = {.inputs = "X:T, scale:T, shift:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes = "activation:string, activation_params:floats"},
             .infer = infer,
             .decompose = decompose});
}

}  // namespace onnxrun::ops
