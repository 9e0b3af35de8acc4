// InstanceNormalization and GroupNormalization (ONNX InstanceNormalization-22, GroupNormalization-21).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;
using ir::ValueId;

void infer_instance_normalization(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  if (in != nullptr && in->size() < 2) c.fail("input 'input' has the shape {}, expected [N, C, D1, ...]", ir::to_string(*in));
  require_vector(c, 1, "scale", in ? (*in)[1] : Dim());
  require_vector(c, 2, "B", in ? (*in)[1] : Dim());
  c.set(0, c.dtype(0), c.input(0).shape);
}

void infer_group_normalization(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  const int64_t groups = c.attributes().get_int("num_groups", 0);
  if (groups < 1) c.fail("attribute 'num_groups' is {}, expected at least 1", groups);
  if (in != nullptr && in->size() < 2) c.fail("input 'X' has the shape {}, expected [N, C, D1, ...]", ir::to_string(*in));
  const Dim channels = in ? (*in)[1] : Dim();
  if (channels.is_constant() && channels.value() % groups != 0)
    c.fail("input 'X' of shape {} has {} channels, not a multiple of num_groups={}", ir::to_string(*in), channels.value(), groups);
  require_vector(c, 1, "scale", channels);
  require_vector(c, 2, "bias", channels);
  c.set(0, c.dtype(0), c.input(0).shape);
}

void lift_instance_normalization(ir::Expansion& e, int) {
  e.drop({"consumed_inputs"});
  e.keep();
}

// GroupNormalization-18 has one scale and bias a group.
void lift_group_normalization(ir::Expansion& e, int since) {
  if (since >= 21) return e.keep();
  const int64_t groups = e.attributes().get_int("num_groups", 0);
  if (groups < 1) e.fail("attribute 'num_groups' is {}, expected at least 1", groups);
  const ir::Fact& x = e.fact(e.input(0));
  ValueId repeats;
  if (x.rank() > 1 && (*x.shape)[1].is_constant()) {
    repeats = e.int64s({groups, (*x.shape)[1].value() / groups});
  } else {
    const ValueId channels = e.emit("Shape", {e.input(0)}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
    repeats = e.emit("Concat", {e.int64s({groups}), e.emit("Div", {channels, e.int64s({groups})})}, {{"axis", int64_t{0}}});
  }
  for (size_t i : {1, 2}) {
    const ValueId column = e.emit("Reshape", {e.input(i), e.int64s({groups, 1})});
    e.set_input(i, e.emit("Reshape", {e.emit("Expand", {column, repeats}), e.int64s({-1})}));
  }
  e.keep();
}

}  // namespace

void define_onnx_instance_normalization(ir::OpTable& table) {
  table.add({.domain = "", .name = "InstanceNormalization", .versions = {1, 6, 22},
             .signature = {.inputs = "input:T, scale:T, B:T", .outputs = "output:T", .types = "T: floats",
                           .attributes = "epsilon:float"},
             .infer = infer_instance_normalization, .lift = lift_instance_normalization});
  table.add({.domain = "", .name = "GroupNormalization", .versions = {18, 21},
             .signature = {.inputs = "X:T, scale:T, bias:T", .outputs = "Y:T", .types = "T: floats",
                           .attributes = "epsilon:float, num_groups:int!, stash_type:int"},
             .infer = infer_group_normalization, .lift = lift_group_normalization});
}

}  // namespace onnxrun::ops
