// Conv, ConvInteger and QLinearConv (ONNX Conv-22, ConvInteger-10, QLinearConv-10).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/image_inputs.h"
#include "ops/products.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// The output shape of a convolution of input `x` with the weights at input `w`; nullopt when a rank is unknown.
std::optional<Shape> convolved(InferContext& c, size_t x, const char* x_name, size_t w, const char* w_name) {
  const Shape* in = spatial_input(c, x, x_name);
  const Shape* weights = spatial_input(c, w, w_name);
  const int64_t group = c.attributes().get_int("group", 1);
  if (group < 1) c.fail("attribute 'group' is {}, expected at least 1", group);
  if (in != nullptr && weights != nullptr && in->size() != weights->size())
    c.fail("input '{}' has the shape {} and '{}' the shape {}: their ranks differ", x_name, ir::to_string(*in), w_name,
           ir::to_string(*weights));
  const Dim channels = weights != nullptr ? (*weights)[0] : Dim();
  if (channels.is_constant() && channels.value() % group != 0)
    c.fail("input '{}' of shape {} has {} output channels, not a multiple of group {}", w_name, ir::to_string(*weights),
           channels.value(), group);
  if (in == nullptr) return std::nullopt;
  std::vector<int64_t> kernel(in->size() - 2, -1);
  if (weights != nullptr) {
    for (size_t i = 0; i < kernel.size(); ++i) kernel[i] = (*weights)[i + 2].value();
    const Dim &have = (*in)[1], &per_group = (*weights)[1];
    if (have.is_constant() && per_group.is_constant() && have != Dim(group) * per_group)
      c.fail("input '{}' of shape {} has {} channels, '{}' of shape {} with group {} expects {}", x_name,
             ir::to_string(*in), have.value(), w_name, ir::to_string(*weights), group,
             (Dim(group) * per_group).to_string());
  }
  return windowed(c, *in, channels, kernel);
}

void require_bias(InferContext& c, size_t i, const std::optional<Shape>& out) {
  if (c.has_input(i)) require_vector(c, i, "B", out ? (*out)[1] : Dim());
}

// A quantisation parameter: a scalar (or one element), or where allowed one for each of `channels`.
void require_parameter(InferContext& c, size_t i, const char* name, const Dim& channels, bool per_channel) {
  const Shape* shape = c.shape(i);
  if (shape == nullptr || shape->empty()) return;
  const Dim& size = (*shape)[0];
  const bool one = !size.is_constant() || size.value() == 1;
  const bool many = per_channel && (!channels.is_constant() || !size.is_constant() || size.value() == channels.value());
  if (shape->size() != 1 || !(one || many))
    c.fail("input '{}' has the shape {}, expected a scalar{}", name, ir::to_string(*shape),
           per_channel ? " or one value for each output channel" : "");
}

void infer_conv_integer(InferContext& c) {
  const auto out = convolved(c, 0, "x", 1, "w");
  require_parameter(c, 2, "x_zero_point", Dim(), false);
  require_parameter(c, 3, "w_zero_point", out ? (*out)[1] : Dim(), true);
  c.set(0, ir::DType::kInt32, out);
}

void infer_qlinear_conv(InferContext& c) {
  const auto out = convolved(c, 0, "x", 3, "w");
  const Dim channels = out ? (*out)[1] : Dim();
  require_parameter(c, 1, "x_scale", Dim(), false);
  require_parameter(c, 2, "x_zero_point", Dim(), false);
  require_parameter(c, 4, "w_scale", channels, true);
  require_parameter(c, 5, "w_zero_point", channels, true);
  require_parameter(c, 6, "y_scale", Dim(), false);
  require_parameter(c, 7, "y_zero_point", Dim(), false);
  require_bias(c, 8, out);
  c.set(0, c.dtype(7), out);
}

constexpr const char* kAttributes =
    "auto_pad:string, dilations:ints, group:int, kernel_shape:ints, pads:ints, strides:ints";

}  // namespace

void infer_conv(InferContext& c) {
  const auto out = convolved(c, 0, "X", 1, "W");
  require_bias(c, 2, out);
  c.set(0, c.dtype(0), out);
}

void define_onnx_conv(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "Conv",
       .versions = {1, 11, 22},
       .signature = {.inputs = "X:T, W:T, B?:T", .outputs = "Y:T", .types = "T: floats", .attributes = kAttributes},
       .infer = infer_conv});
  table.add({.domain = "",
             .name = "ConvInteger",
             .versions = {10},
             .signature = {.inputs = "x:T1, w:T2, x_zero_point?:T1, w_zero_point?:T2",
                           .outputs = "y:int32",
                           .types = "T1: int8 uint8 | T2: int8 uint8",
                           .attributes = kAttributes},
             .infer = infer_conv_integer});
  table.add({.domain = "",
             .name = "QLinearConv",
             .versions = {10},
             .signature = {.inputs = "x:T1, x_scale:float32, x_zero_point:T1, w:T2, w_scale:float32, w_zero_point:T2, "
                                     "y_scale:float32, y_zero_point:T3, B?:int32",
                           .outputs = "y:T3",
                           .types = "T1: int8 uint8 | T2: int8 uint8 | T3: int8 uint8",
                           .attributes = kAttributes},
             .infer = infer_qlinear_conv});
}

}  // namespace onnxrun::ops
