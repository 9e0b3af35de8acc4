// Identity: its input, whatever type it has (ONNX Identity-25).
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_identity(ir::InferContext& c) { c.set(0, c.input(0)); }

}  // namespace

void define_onnx_identity(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Identity",
             .versions = {1, 13, 14, 16, 19, 21, 23, 24, 25},
             .signature = {.inputs = "input:any", .outputs = "output:any"},
             .flags = ir::kView,
             .infer = infer_identity});
}

}  // namespace onnxrun::ops
