// InstanceNormalization and GroupNormalization (ONNX InstanceNormalization-22, GroupNormalization-21).
#include <algorithm>
#include <cstring>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;
using ir::ValueId;

void infer_instance_normalization(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  if (in != nullptr && in->size() < 2)
    c.fail("input 'input' has the shape {}, expected [N, C, D1, ...]", ir::to_string(*in));
  require_vector(c, 1, "scale", in ? (*in)[1] : Dim());
  require_vector(c, 2, "B", in ? (*in)[1] : Dim());
  c.set(0, c.dtype(0), c.input(0).shape);
}

void infer_group_normalization(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  const int64_t groups = c.attributes().get_int("num_groups", 0);
  if (groups < 1) c.fail("attribute 'num_groups' is {}, expected at least 1", groups);
  if (in != nullptr && in->size() < 2)
    c.fail("input 'X' has the shape {}, expected [N, C, D1, ...]", ir::to_string(*in));
  const Dim channels = in ? (*in)[1] : Dim();
  if (channels.is_constant() && channels.value() % groups != 0)
    c.fail("input 'X' of shape {} has {} channels, not a multiple of num_groups={}", ir::to_string(*in),
           channels.value(), groups);
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
    repeats =
        e.emit("Concat", {e.int64s({groups}), e.emit("Div", {channels, e.int64s({groups})})}, {{"axis", int64_t{0}}});
  }
  for (size_t i : {1, 2}) {
    const ValueId column = e.emit("Reshape", {e.input(i), e.int64s({groups, 1})});
    e.set_input(i, e.emit("Reshape", {e.emit("Expand", {column, repeats}), e.int64s({-1})}));
  }
  e.keep();
}

// The constant with one element a group that `value` repeats for each of its channels; none where there is no such constant.
ir::Tensor by_group(const ir::Tensor& value, int64_t groups) {
  if (!value || value.rank() != 1 || value.count() % groups != 0 || base::is_sub_byte(value.dtype())) return {};
  const size_t width = value.bytes() / static_cast<size_t>(std::max<int64_t>(value.count(), 1));
  const size_t each = static_cast<size_t>(value.count() / groups);
  ir::Tensor result(value.dtype(), {groups});
  const auto* from = static_cast<const char*>(value.raw());
  for (size_t g = 0; g < static_cast<size_t>(groups); ++g)
    for (size_t i = 0; i < each; ++i) {
      if (std::memcmp(from + g * each * width, from + (g * each + i) * width, width) != 0) return {};
      std::memcpy(static_cast<char*>(result.mutable_raw()) + g * width, from + g * each * width, width);
    }
  return result;
}

void lower_group_normalization(ir::Lowering& l, int opset) {
  if (opset >= 21) return l.keep();
  const int64_t groups = l.attributes().get_int("num_groups", 1);
  const ir::Tensor scale = by_group(l.constant_input(1), groups), bias = by_group(l.constant_input(2), groups);
  if (!scale || !bias)
    return l.refuse("its 'scale' and 'bias' are not known to be one a group, as they were before opset 21");
  l.drop_int("stash_type", 1);
  if (l.refused()) return;
  l.set_input(1, l.constant(scale));
  l.set_input(2, l.constant(bias));
  l.keep();
}

}  // namespace

void define_onnx_instance_normalization(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "InstanceNormalization",
             .versions = {1, 6, 22},
             .signature = {.inputs = "input:T, scale:T, B:T",
                           .outputs = "output:T",
                           .types = "T: floats",
                           .attributes = "epsilon:float"},
             .infer = infer_instance_normalization,
             .lift = lift_instance_normalization,
             .lower = ir::lower_unchanged});
  table.add({.domain = "",
             .name = "GroupNormalization",
             .versions = {18, 21},
             .signature = {.inputs = "X:T, scale:T, bias:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes = "epsilon:float, num_groups:int!, stash_type:int"},
             .infer = infer_group_normalization,
             .lift = lift_group_normalization,
             .lower = lower_group_normalization});
}

}  // namespace onnxrun::ops
