// RoiAlign: regions of interest resampled to a fixed size (ONNX RoiAlign-22).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

void infer_roi_align(ir::InferContext& c) {
  using ir::Dim;
  const auto& a = c.attributes();
  const int64_t height = a.get_int("output_height", 1), width = a.get_int("output_width", 1);
  if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX)
    c.fail("attributes 'output_height' and 'output_width' are {} and {}, expected at least 1", height, width);
  const int64_t ratio = a.get_int("sampling_ratio", 0);
  if (ratio < 0 || ratio > 65536) c.fail("attribute 'sampling_ratio' is {}, expected 0 to 65536", ratio);
  const std::string mode = a.get_string("mode", "avg");
  if (mode != "avg" && mode != "max") c.fail("attribute 'mode' is '{}', expected avg or max", mode);
  const std::string transform = a.get_string("coordinate_transformation_mode", "half_pixel");
  if (transform != "half_pixel" && transform != "output_half_pixel")
    c.fail("attribute 'coordinate_transformation_mode' is '{}', expected half_pixel or output_half_pixel", transform);
  const ir::Shape *in = c.shape(0), *rois = c.shape(1), *batch = c.shape(2);
  if (in != nullptr && in->size() != 4) c.fail("input 'X' has the shape {}, expected [N, C, H, W]", ir::to_string(*in));
  if (rois != nullptr && rois->size() != 2)
    c.fail("input 'rois' has the shape {}, expected [rois, 4]", ir::to_string(*rois));
  if (rois != nullptr) require_equal(c, (*rois)[1], Dim(4), "second dimension of 'rois'");
  require_vector(c, 2, "batch_indices", rois ? (*rois)[0] : Dim());
  const Dim count = rois && !(*rois)[0].is_unknown() ? (*rois)[0] : batch ? (*batch)[0] : Dim();
  c.set(0, c.dtype(0), ir::Shape{count, in ? (*in)[1] : Dim(), Dim(height), Dim(width)});
}

void lift_roi_align(ir::Expansion& e, int since) {
  if (since < 16) e.attributes().set("coordinate_transformation_mode", std::string("output_half_pixel"));
  e.keep();
}

void lower_roi_align(ir::Lowering& l, int opset) {
  if (opset < 16) {
    if (l.attributes().get_string("coordinate_transformation_mode", "half_pixel") != "output_half_pixel")
      return l.refuse("its coordinates are half_pixel, which came with opset 16");
    l.attributes().erase("coordinate_transformation_mode");
  }
  l.keep();
}

}  // namespace

void define_onnx_roi_align(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "RoiAlign",
             .versions = {10, 16, 22},
             .signature = {.inputs = "X:T1, rois:T1, batch_indices:int64",
                           .outputs = "Y:T1",
                           .types = "T1: floats",
                           .attributes = "coordinate_transformation_mode:string, mode:string, output_height:int, "
                                         "output_width:int, sampling_ratio:int, spatial_scale:float"},
             .infer = infer_roi_align,
             .lift = lift_roi_align,
             .lower = lower_roi_align});
}

}  // namespace onnxrun::ops
