// CenterCropPad: axes cropped or padded with zeros around their centre (ONNX CenterCropPad-18).
#include <numeric>

#include "base/shape.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_center_crop_pad(InferContext& c) {
  if (c.rank(1) >= 0 && c.rank(1) != 1) c.fail("'shape' must have one dimension, got {}", c.input(1).to_string());
  const Shape* input = c.shape(0);
  if (input == nullptr) return c.set(0, c.dtype(0));
  std::vector<int64_t> axes(input->size());
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (c.attributes().has("axes")) axes = base::normalize_axes(c.attributes().get_ints("axes"), c.rank(0), "axes");
  const auto wanted = c.elements(1);
  if (wanted && wanted->size() != axes.size())
    c.fail("'shape' must have one element for each of {} axes, it has {}", axes.size(), wanted->size());
  Shape out = *input;
  for (size_t i = 0; i < axes.size(); ++i)
    out[static_cast<size_t>(axes[i])] = wanted ? checked_dim(c, (*wanted)[i], "a dim of 'shape'") : Dim();
  c.set(0, c.dtype(0), std::move(out));
}

}  // namespace

void define_onnx_center_crop_pad(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "CenterCropPad",
             .versions = {18},
             .signature = {.inputs = "input_data:T, shape:I",
                           .outputs = "output_data:T",
                           .types = "T: all | I: int32 int64",
                           .attributes = "axes:ints"},
             .infer = infer_center_crop_pad});
}

}  // namespace onnxrun::ops
