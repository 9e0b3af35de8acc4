// NonMaxSuppression: boxes kept by score that do not overlap better ones (ONNX, opset 11).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_nms(InferContext& c) {
  const Shape *boxes = c.shape(0), *scores = c.shape(1);
  if (boxes != nullptr && boxes->size() != 3) c.fail("'boxes' must have rank 3, got {}", c.input(0).to_string());
  if (scores != nullptr && scores->size() != 3) c.fail("'scores' must have rank 3, got {}", c.input(1).to_string());
  if (boxes != nullptr) unify(c, 4, boxes->back(), "4 and the last dim of 'boxes'");
  if (boxes != nullptr && scores != nullptr) {
    unify(c, (*boxes)[0], (*scores)[0], "the batch sizes of 'boxes' and 'scores'");
    unify(c, (*boxes)[1], (*scores)[2], "the numbers of boxes of 'boxes' and 'scores'");
  }
  const char* const names[] = {"max_output_boxes_per_class", "iou_threshold", "score_threshold"};
  for (size_t i = 2; i < 5; ++i) {
    const Shape* shape = c.shape(i);
    if (shape == nullptr) continue;
    const Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1)
      c.fail("'{}' must be a scalar, got {}", names[i - 2], c.input(i).to_string());
  }
  const int64_t center = c.attributes().get_int("center_point_box", 0);
  if (center != 0 && center != 1) c.fail("center_point_box must be 0 or 1, got {}", center);
  c.set(0, ir::DType::kInt64, Shape{Dim(), 3});
}

}  // namespace

void define_onnx_non_max_suppression(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "NonMaxSuppression",
       .versions = {10, 11},
       .signature = {.inputs =
                         "boxes:float32, scores:float32, max_output_boxes_per_class?:int64, iou_threshold?:float32, "
                         "score_threshold?:float32",
                     .outputs = "selected_indices:int64",
                     .attributes = "center_point_box:int"},
       .flags = ir::kDataShape,
       .infer = infer_nms});
}

}  // namespace onnxrun::ops
