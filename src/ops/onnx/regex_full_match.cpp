// RegexFullMatch (ONNX, opset 20).
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {

void define_onnx_regex_full_match(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "RegexFullMatch",
             .versions = {20},
             .signature = {.inputs = "X:string", .outputs = "Y:bool", .attributes = "pattern:string!"},
             .infer = [](ir::InferContext& c) { c.set(0, ir::DType::kBool, c.input(0).shape); }});
}

}  // namespace onnxrun::ops
