// ai.onnx.ml.ArrayFeatureExtractor: elements of the last axis by index.
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::Shape;

// A vector gives one row, as in the ONNX reference and ONNX Runtime.
void infer_array_feature_extractor(ir::InferContext& c) {
  const Shape* x = c.shape(0);
  if (x == nullptr) return c.set(0, c.dtype(0));
  if (x->empty()) c.fail("'X' must have one dimension or more, got {}", c.input(0).to_string());
  Shape out = x->size() == 1 ? Shape{1, {}} : *x;
  const Shape* y = c.shape(1);
  out.back() = y != nullptr ? ir::element_count(*y) : ir::Dim();
  c.set(0, c.dtype(0), std::move(out));
}

}  // namespace

void define_ml_array_feature_extractor(ir::OpTable& table) {
  table.add(
      {.domain = "ai.onnx.ml",
       .name = "ArrayFeatureExtractor",
       .versions = {1},
       .signature = {.inputs = "X:T, Y:int64", .outputs = "Z:T", .types = "T: float32 float64 int64 int32 string"},
       .infer = infer_array_feature_extractor});
}

}  // namespace onnxrun::ops
