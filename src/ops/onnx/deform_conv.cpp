// DeformConv: convolution that samples its input at learned offsets (ONNX DeformConv-22).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;

void require_grid(ir::InferContext& c, size_t i, const char* name, const Dim& channels, const Shape& out) {
  const Shape* shape = c.shape(i);
  if (shape == nullptr) return;
  bool good = shape->size() == out.size();
  for (size_t d = 0; good && d < out.size(); ++d) {
    const Dim &have = (*shape)[d], &want = d == 1 ? channels : out[d];
    good = !have.is_constant() || !want.is_constant() || have.value() == want.value();
  }
  if (!good) {
    Shape want = out;
    want[1] = channels;
    c.fail("input '{}' has the shape {}, expected {}", name, ir::to_string(*shape), ir::to_string(want));
  }
}

void infer_deform_conv(ir::InferContext& c) {
  const Shape* in = spatial_input(c, 0, "X");
  const Shape* weights = spatial_input(c, 1, "W");
  const int64_t group = c.attributes().get_int("group", 1), offset_group = c.attributes().get_int("offset_group", 1);
  if (group < 1 || offset_group < 1)
    c.fail("attributes 'group' and 'offset_group' are {} and {}, expected at least 1", group, offset_group);
  if (in == nullptr) return c.set(0, c.dtype(0));
  if (in->size() != 4) c.fail("input 'X' has the shape {}; only two spatial axes are supported", ir::to_string(*in));
  std::vector<int64_t> kernel(2, -1);
  Dim channels;
  if (weights != nullptr) {
    if (weights->size() != 4) c.fail("input 'W' has the shape {}, expected rank 4", ir::to_string(*weights));
    for (size_t i = 0; i < 2; ++i) kernel[i] = (*weights)[i + 2].value();
    channels = (*weights)[0];
    require_equal(c, (*in)[1], Dim(group) * (*weights)[1], "channels of 'X' and those that 'W' with 'group' expects");
    if (channels.is_constant() && channels.value() % group != 0)
      c.fail("input 'W' of shape {} has {} output channels, not a multiple of group {}", ir::to_string(*weights),
             channels.value(), group);
  }
  if ((*in)[1].is_constant() && (*in)[1].value() % offset_group != 0)
    c.fail("input 'X' of shape {} has {} channels, not a multiple of offset_group {}", ir::to_string(*in),
           (*in)[1].value(), offset_group);
  kernel = read_kernel(c.attributes(), 2, kernel);
  const Shape out = windowed(c, *in, channels, kernel);
  if (kernel[0] > 0 && kernel[1] > 0) {
    const Dim points = Dim(kernel[0]) * Dim(kernel[1]) * Dim(offset_group);
    require_grid(c, 2, "offset", points * Dim(2), out);
    if (c.has_input(4)) require_grid(c, 4, "mask", points, out);
  }
  if (c.has_input(3)) require_vector(c, 3, "B", channels);
  c.set(0, c.dtype(0), out);
}

}  // namespace

void define_onnx_deform_conv(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "DeformConv",
       .versions = {19, 22},
       .signature = {.inputs = "X:T, W:T, offset:T, B?:T, mask?:T",
                     .outputs = "Y:T",
                     .types = "T: floats",
                     .attributes =
                         "dilations:ints, group:int, kernel_shape:ints, offset_group:int, pads:ints, strides:ints"},
       .infer = infer_deform_conv});
}

}  // namespace onnxrun::ops
