// IsNaN and IsInf: which elements are not numbers, or infinite.
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

void infer_float_class(ir::InferContext& c) { c.set(0, ir::DType::kBool, c.input(0).shape); }

}  // namespace

void define_onnx_float_class(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "IsNaN",
             .versions = {9, 13, 20},
             .signature = {.inputs = "X:T1", .outputs = "Y:bool", .types = "T1: floats float8s"},
             .infer = infer_float_class});
  table.add({.domain = "",
             .name = "IsInf",
             .versions = {10, 20},
             .signature = {.inputs = "X:T1",
                           .outputs = "Y:bool",
                           .types = "T1: floats float8s",
                           .attributes = "detect_negative:int, detect_positive:int"},
             .infer = infer_float_class});
}

}  // namespace onnxrun::ops
