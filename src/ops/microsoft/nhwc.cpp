// com.ms.internal.nhwc: ONNX Runtime's copies of ONNX's operators for channels-last data, as those operators between transposes.
#include "ir/op.h"
#include "ops/channels_last.h"
#include "ops/emitter.h"
#include "ops/fused_activation.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

// Input 0 and the first output have the channels last; weights and all other inputs are as ONNX has them.
void lift_turned(Expansion& e, int) {
  if (e.output_count() > 1 && e.has_output(1))
    base::fail(base::Code::kUnsupported, "{} with more than one output is not supported", e.source().op->full_name());
  std::vector<ValueId> inputs = e.source().inputs;
  const ValueId turned = to_channels_first(e, e.input(0));
  inputs[0] = turned;
  ir::Attributes attributes = e.attributes();
  const FusedActivation activation = FusedActivation::of_convolution(attributes);
  drop_fused_activation(attributes);
  activation.finish(e, to_channels_last(e, e.emit(e.source().op->name, std::move(inputs), std::move(attributes))));
}

// The sizes and scales of Resize name the axes of the data as it lies.
void lift_resize(Expansion& e, int) {
  e.become("", "Resize");
  e.keep();
}

}  // namespace

void define_microsoft_nhwc(ir::OpTable& table) {
  const auto add = [&](const char* name, const char* inputs, const char* attributes,
                       void (*lift)(Expansion&, int) = lift_turned) {
    table.add({.domain = "com.ms.internal.nhwc",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs,
                             .outputs = "Y:T",
                             .types = "T: floats int8 uint8 | U: all",
                             .attributes = attributes},
               .infer = infer_lifted,
               .lift = lift});
  };
  constexpr const char* kConv =
      "activation:string, activation_params:floats, auto_pad:string, dilations:ints, group:int, kernel_shape:ints, "
      "pads:ints, strides:ints";
  constexpr const char* kPool =
      "activation:string, activation_params:floats, auto_pad:string, ceil_mode:int, count_include_pad:int, "
      "dilations:ints, kernel_shape:ints!, "
      "p:int, pads:ints, storage_order:int, strides:ints";
  add("Conv", "X:T, W:T, B?:T", kConv);
  add("ConvTranspose", "X:T, W:T, B?:T",
      "activation:string, activation_params:floats, auto_pad:string, dilations:ints, group:int, kernel_shape:ints, "
      "output_padding:ints, "
      "output_shape:ints, pads:ints, strides:ints");
  add("AveragePool", "X:T", kPool);
  add("MaxPool", "X:T", kPool);
  add("LpPool", "X:T", kPool);
  add("GlobalAveragePool", "X:T", "");
  add("GlobalMaxPool", "X:T", "");
  add("GlobalLpPool", "X:T", "p:int");
  add("BatchNormalization", "X:T, scale:T, B:T, mean:T, var:T",
      "activation:string, activation_params:floats, epsilon:float, momentum:float");
  add("InstanceNormalization", "input:T, scale:T, B:T", "activation:string, activation_params:floats, epsilon:float");
  add("LRN", "X:T", "alpha:float, beta:float, bias:float, size:int!");
  add("DepthToSpace", "input:T", "blocksize:int!, mode:string");
  add("SpaceToDepth", "input:T", "blocksize:int!");
  add("GridSample", "X:T, grid:U", "align_corners:int, mode:string, padding_mode:string");
  add("Resize", "X:T, roi?:U, scales?:float32, sizes?:int64",
      "antialias:int, axes:ints, coordinate_transformation_mode:string, cubic_coeff_a:float, exclude_outside:int, "
      "extrapolation_value:float, "
      "keep_aspect_ratio_policy:string, mode:string, nearest_mode:string",
      lift_resize);
}

}  // namespace onnxrun::ops
