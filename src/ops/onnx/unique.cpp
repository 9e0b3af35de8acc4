// Unique: the distinct elements, or slices of an axis, and where they are (ONNX Unique-28).
#include "base/shape.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_unique(InferContext& c) {
  const Shape* input = c.shape(0);
  std::optional<Shape> out;
  Dim length;  // of inverse_indices
  if (!c.attributes().has("axis")) {
    out = Shape{Dim()};
    if (input != nullptr) length = ir::element_count(*input);
  } else if (input != nullptr) {
    if (input->empty()) c.fail("'X' must have one dimension or more for an axis, got {}", c.input(0).to_string());
    const auto axis = static_cast<size_t>(base::normalize_axis(c.attributes().get_int("axis", 0), c.rank(0)));
    length = (*input)[axis];
    out = *input;
    (*out)[axis] = Dim();
  }
  c.set(0, c.dtype(0), std::move(out));
  c.set(1, ir::DType::kInt64, Shape{Dim()});
  c.set(2, ir::DType::kInt64, Shape{length});
  c.set(3, ir::DType::kInt64, Shape{Dim()});
}

}  // namespace

void define_onnx_unique(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Unique",
             .versions = {11, 28},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:T, indices?:int64, inverse_indices?:int64, counts?:int64",
                           .types = "T: numeric bool string complex64 complex128",
                           .attributes = "axis:int, sorted:int"},
             .flags = ir::kDataShape,
             .infer = infer_unique});
}

}  // namespace onnxrun::ops
