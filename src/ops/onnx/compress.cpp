// Compress: the slices of an axis, or elements, whose condition is true (ONNX Compress-28).
#include "base/shape.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_compress(ir::InferContext& c) {
  if (c.rank(1) >= 0 && c.rank(1) != 1) c.fail("'condition' must have one dimension, got {}", c.input(1).to_string());
  const ir::Shape* input = c.shape(0);
  if (!c.attributes().has("axis")) return c.set(0, c.dtype(0), ir::Shape{ir::Dim()});
  if (input == nullptr) return c.set(0, c.dtype(0));
  if (input->empty()) c.fail("'input' must have one dimension or more, got {}", c.input(0).to_string());
  ir::Shape out = *input;
  out[static_cast<size_t>(base::normalize_axis(c.attributes().get_int("axis", 0), c.rank(0)))] = ir::Dim();
  c.set(0, c.dtype(0), std::move(out));
}

}  // namespace

void define_onnx_compress(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Compress",
             .versions = {9, 11, 28},
             .signature = {.inputs = "input:T, condition:bool",
                           .outputs = "output:T",
                           .types = "T: all",
                           .attributes = "axis:int"},
             .flags = ir::kDataShape,
             .infer = infer_compress});
}

}  // namespace onnxrun::ops
