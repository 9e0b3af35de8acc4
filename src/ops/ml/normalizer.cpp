// ai.onnx.ml.Normalizer: rows divided by their largest magnitude, their sum of magnitudes or their length.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/feature_rows.h"

namespace onnxrun::ops {
namespace {

void infer_normalizer(ir::InferContext& c) {
  const std::string norm = c.attributes().get_string("norm", "MAX");
  if (norm != "MAX" && norm != "L1" && norm != "L2") c.fail("'norm' is \"{}\", but must be MAX, L1 or L2", norm);
  feature_rows(c);
  c.set(0, ir::DType::kFloat32, c.input(0).shape);
}

}  // namespace

void define_ml_normalizer(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "Normalizer",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:float32",
                           .types = "T: float32 float64 int64 int32",
                           .attributes = "norm:string"},
             .infer = infer_normalizer});
}

}  // namespace onnxrun::ops
