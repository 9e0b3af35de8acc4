// ai.onnx.ml.FeatureVectorizer: inputs side by side, each cut or padded with zeros to a given width.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;

void infer_feature_vectorizer(ir::InferContext& c) {
  const std::vector<int64_t> widths = c.attributes().get_ints("inputdimensions");
  if (!c.attributes().has("inputdimensions")) c.fail("the attribute 'inputdimensions' must be given");
  if (widths.size() != c.input_count())
    c.fail("'inputdimensions' has {} elements for {} inputs", widths.size(), c.input_count());
  Dim rows, total = 0;
  bool first = true;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] < 0) c.fail("'inputdimensions' has {}", widths[i]);
    total = total + Dim(widths[i]);
    const Shape* shape = c.shape(i);
    if (shape == nullptr) continue;
    if (shape->empty() || shape->size() > 2)
      c.fail("input {} must have the shape [N,C] or [C], got {}", i, c.input(i).to_string());
    const Dim count = shape->size() == 1 ? Dim(1) : shape->front();
    rows = first ? count : unify(c, rows, count, "the numbers of rows");
    first = false;
  }
  c.set(0, ir::DType::kFloat32, Shape{rows, total});
}

}  // namespace

void define_ml_feature_vectorizer(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "FeatureVectorizer",
             .versions = {1},
             .signature = {.inputs = "X*:T1",
                           .outputs = "Y:float32",
                           .types = "T1: int32 int64 float32 float64",
                           .attributes = "inputdimensions:ints"},
             .infer = infer_feature_vectorizer});
}

}  // namespace onnxrun::ops
