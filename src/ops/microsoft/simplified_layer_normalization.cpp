// com.microsoft.SimplifiedLayerNormalization: the same as the operator that exporters write in ONNX's domain.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {

void define_microsoft_simplified_layer_normalization(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "SimplifiedLayerNormalization",
             .versions = {1},
             .signature = {.inputs = "X:T, scale:V",
                           .outputs = "Y:V, inv_std_var?:U",
                           .types = "T: floats | V: floats | U: floats",
                           .attributes = "axis:int, epsilon:float, stash_type:int"},
             .infer = [](ir::InferContext& c) { c.set(0, c.dtype(1), c.input(0).shape); },
             .lift =
                 [](ir::Expansion& e, int) {
                   e.become("", "SimplifiedLayerNormalization");
                   e.keep();
                 }});
}

}  // namespace onnxrun::ops
