// MaxRoiPool: the maxima of a grid of bins in each region of interest (ONNX MaxRoiPool-22).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/window.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

void infer_max_roi_pool(ir::InferContext& c) {
  const ir::Shape* in = c.shape(0);
  const ir::Shape* rois = c.shape(1);
  const auto pooled = c.attributes().get_ints("pooled_shape");
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1 || pooled[0] > INT32_MAX || pooled[1] > INT32_MAX)
    c.fail("attribute 'pooled_shape' is {}, expected a height and a width of at least 1", base::to_string(pooled));
  if (in != nullptr && in->size() != 4) c.fail("input 'X' has the shape {}, expected [N, C, H, W]", ir::to_string(*in));
  if (rois != nullptr && rois->size() != 2)
    c.fail("input 'rois' has the shape {}, expected [rois, 5]", ir::to_string(*rois));
  if (rois != nullptr) require_equal(c, (*rois)[1], ir::Dim(5), "second dimension of 'rois'");
  c.set(0, c.dtype(0),
        ir::Shape{rois ? (*rois)[0] : ir::Dim(), in ? (*in)[1] : ir::Dim(), ir::Dim(pooled[0]), ir::Dim(pooled[1])});
}

}  // namespace

void define_onnx_max_roi_pool(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "MaxRoiPool",
             .versions = {1, 22},
             .signature = {.inputs = "X:T, rois:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes = "pooled_shape:ints!, spatial_scale:float"},
             .infer = infer_max_roi_pool});
}

}  // namespace onnxrun::ops
