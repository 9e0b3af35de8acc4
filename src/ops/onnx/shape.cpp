// Shape and Size: the dims of a tensor and their product as int64 (ONNX Shape-25, Size-25).
#include <algorithm>

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/shape.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_shape(InferContext& c) {
  const Shape* input = c.shape(0);
  if (input == nullptr) return c.set(0, ir::DType::kInt64, Shape{Dim()});
  const auto [start, end] = attributes::shape_range(c.attributes(), static_cast<int64_t>(input->size()));
  Shape dims(input->begin() + start, input->begin() + end);
  c.set(0, ir::DType::kInt64, Shape{Dim(end - start)});
  c.set_elements(0, std::move(dims));
}

void infer_size(InferContext& c) {
  c.set(0, ir::DType::kInt64, Shape{});
  if (const Shape* input = c.shape(0)) c.set_elements(0, {ir::element_count(*input)});
}

}  // namespace

void define_onnx_shape(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Shape",
             .versions = {1, 13, 15, 19, 21, 23, 24, 25},
             .signature =
                 {.inputs = "data:T", .outputs = "shape:int64", .types = "T: all", .attributes = "start:int, end:int"},
             .flags = ir::kHostShape,
             .infer = infer_shape});
  table.add({.domain = "",
             .name = "Size",
             .versions = {1, 13, 19, 21, 23, 24, 25},
             .signature = {.inputs = "data:T", .outputs = "size:int64", .types = "T: all"},
             .flags = ir::kHostShape,
             .infer = infer_size});
}

}  // namespace onnxrun::ops
