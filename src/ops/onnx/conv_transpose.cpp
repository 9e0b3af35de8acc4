// ConvTranspose: the gradient of a convolution with respect to its input (ONNX ConvTranspose-22).
#include <algorithm>

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/conv_transpose.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_conv_transpose(InferContext& c) {
  const Shape* in = spatial_input(c, 0, "X");
  const Shape* weights = spatial_input(c, 1, "W");
  const int64_t group = c.attributes().get_int("group", 1);
  if (group < 1) c.fail("attribute 'group' is {}, expected at least 1", group);
  if (in == nullptr) return c.set(0, c.dtype(0));
  if (weights != nullptr && in->size() != weights->size())
    c.fail("input 'X' has the shape {} and 'W' the shape {}: their ranks differ", ir::to_string(*in),
           ir::to_string(*weights));
  std::vector<int64_t> kernel(in->size() - 2, -1);
  Dim channels;
  if (weights != nullptr) {
    for (size_t i = 0; i < kernel.size(); ++i) kernel[i] = (*weights)[i + 2].value();
    channels = Dim(group) * (*weights)[1];
    require_equal(c, (*in)[1], (*weights)[0], "channels of 'X' and first dimension of 'W'");
    if ((*weights)[0].is_constant() && (*weights)[0].value() % group != 0)
      c.fail("input 'W' of shape {} has {} input channels, not a multiple of group {}", ir::to_string(*weights),
             (*weights)[0].value(), group);
  }
  if (c.has_input(2)) require_vector(c, 2, "B", channels);
  Shape out = *in;
  out[1] = channels;
  std::fill(out.begin() + 2, out.end(), Dim());
  kernel = read_kernel(c.attributes(), kernel.size(), kernel);
  if (std::find(kernel.begin(), kernel.end(), -1) == kernel.end()) {
    const TransposedWindow t = read_transposed_window(c.attributes(), kernel);
    for (size_t axis = 0; axis < kernel.size(); ++axis)
      out[axis + 2] = t.output_shape.empty()
                          ? transposed_window_output(t.window, axis, (*in)[axis + 2], t.output_padding[axis])
                          : Dim(t.output_shape[axis]);
  }
  c.set(0, c.dtype(0), out);
}

}  // namespace

void define_onnx_conv_transpose(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "ConvTranspose",
             .versions = {1, 11, 22},
             .signature = {.inputs = "X:T, W:T, B?:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes =
                               "auto_pad:string, dilations:ints, group:int, kernel_shape:ints, output_padding:ints, "
                               "output_shape:ints, pads:ints, strides:ints"},
             .infer = infer_conv_transpose});
}

}  // namespace onnxrun::ops
