// com.microsoft's fused and channels-last convolutions: FusedConv, NhwcConv and NhwcFusedConv. All are lifted; of FusedConv the optimizer makes some again.
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/channels_last.h"
#include "ops/emitter.h"
#include "ops/fused_activation.h"
#include "ops/products.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

// Conv, plus input Z where there is one, through the activation.
ValueId convolved(Expansion& e, ValueId x) {
  ir::Attributes attributes = e.attributes();
  drop_fused_activation(attributes);
  return e.emit("Conv", {x, e.input(1), e.input(2)}, std::move(attributes));
}

bool decompose_fused_conv(Expansion& e) {
  ValueId y = convolved(e, e.input(0));
  if (e.has_input(3)) y = e.emit("Add", {y, e.input(3)});
  FusedActivation::of_convolution(e.attributes()).finish(e, y);
  return true;
}

// The weights stay as Conv has them; Z has the layout of the output.
void lift_nhwc_conv(Expansion& e, int) {
  ValueId y = to_channels_last(e, convolved(e, to_channels_first(e, e.input(0))));
  if (e.has_input(3)) y = e.emit("Add", {y, e.input(3)});
  FusedActivation::of_convolution(e.attributes()).finish(e, y);
}

constexpr const char* kWindow =
    "auto_pad:string, dilations:ints, group:int, kernel_shape:ints, pads:ints, strides:ints";
constexpr const char* kFusedWindow =
    "activation:string, activation_params:floats, auto_pad:string, dilations:ints, group:int, kernel_shape:ints, "
    "pads:ints, strides:ints";

}  // namespace

void define_microsoft_fused_conv(ir::OpTable& table) {
  const auto add = [&](const char* name, const char* inputs, const char* types, const char* attributes,
                       void (*lift)(Expansion&, int)) {
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs, .outputs = "Y:T", .types = types, .attributes = attributes},
               .infer = infer_lifted,
               .lift = lift});
  };
  table.add({.domain = "com.microsoft",
             .name = "FusedConv",
             .versions = {1},
             .signature =
                 {.inputs = "X:T, W:T, B?:T, Z?:T", .outputs = "Y:T", .types = "T: floats", .attributes = kFusedWindow},
             .infer = infer_conv,
             .lift = [](Expansion& e, int) { decompose_fused_conv(e); },
             .lower = ir::lower_unchanged,
             .decompose = decompose_fused_conv});
  add("NhwcConv", "X:T, W:T, B?:T", "T: floats", kWindow, lift_nhwc_conv);
  add("NhwcFusedConv", "X:T, W:T, B?:T, Z?:T", "T: floats", kFusedWindow, lift_nhwc_conv);
}

}  // namespace onnxrun::ops
