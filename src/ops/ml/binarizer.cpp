// ai.onnx.ml.Binarizer: 1 where an element is above a threshold, otherwise 0.
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {

void define_ml_binarizer(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "Binarizer",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:T",
                           .types = "T: float32 float64 int64 int32",
                           .attributes = "threshold:float"},
             .infer = [](ir::InferContext& c) { c.set(0, c.dtype(0), c.input(0).shape); }});
}

}  // namespace onnxrun::ops
