// com.microsoft.CropAndResize: boxes of images, resized with aligned corners.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/grouped_inputs.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_crop(ir::InferContext& c) {
  const std::string mode = c.attributes().get_string("mode", "bilinear");
  if (mode != "bilinear" && mode != "nearest") c.fail("attribute 'mode' must be bilinear or nearest, got '{}'", mode);
  const ir::Shape *x = ranked_input(c, 0, "X", 4), *rois = ranked_input(c, 1, "rois", 2),
                  *batch = ranked_input(c, 2, "batch_indices", 1);
  ir::Dim count = rois ? (*rois)[0] : ir::Dim();
  if (rois != nullptr) unify(c, (*rois)[1], 4, "the last dim of 'rois' and 4");
  if (batch != nullptr) count = unify(c, count, (*batch)[0], "the number of 'rois' and of 'batch_indices'");
  if (const ir::Shape* size = ranked_input(c, 3, "crop_size", 1))
    unify(c, (*size)[0], 2, "the size of 'crop_size' and 2");
  const auto size = c.elements(3);
  const auto side = [&](size_t i) {
    if (!size || size->size() != 2) return ir::Dim();
    if ((*size)[i].is_constant() && (*size)[i].value() < 1)
      c.fail("'crop_size' must be positive, got {}", (*size)[i].value());
    return (*size)[i];
  };
  c.set(0, c.dtype(0), ir::Shape{count, x ? (*x)[1] : ir::Dim(), side(0), side(1)});
}

}  // namespace

void define_microsoft_crop_and_resize(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "CropAndResize",
             .versions = {1},
             .signature = {.inputs = "X:T, rois:T, batch_indices:int32, crop_size:int32",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes = "extrapolation_value:float, mode:string"},
             .infer = infer_crop});
}

}  // namespace onnxrun::ops
