// ai.onnx.ml.Scaler: (X - offset) * scale.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/feature_rows.h"

namespace onnxrun::ops {
namespace {

void infer_scaler(ir::InferContext& c) {
  c.set(0, ir::DType::kFloat32, c.input(0).shape);
  if (c.rank(0) == 0) c.fail("'X' must have one dimension or more, got {}", c.input(0).to_string());
  for (const char* name : {"offset", "scale"})
    if (const size_t length = c.attributes().get_floats(name).size(); length != 0) check_per_feature(c, name, length);
}

}  // namespace

void define_ml_scaler(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "Scaler",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:float32",
                           .types = "T: float32 float64 int64 int32",
                           .attributes = "offset:floats, scale:floats"},
             .infer = infer_scaler});
}

}  // namespace onnxrun::ops
