// NonZero: the indices of the elements that are not zero (ONNX NonZero-13).
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_non_zero(ir::InferContext& c) {
  const ir::Dim rank = c.rank(0) >= 0 ? ir::Dim(c.rank(0)) : ir::Dim();
  c.set(0, ir::DType::kInt64, ir::Shape{rank, ir::Dim()});
}

}  // namespace

void define_onnx_non_zero(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "NonZero",
             .versions = {9, 13},
             .signature = {.inputs = "X:T", .outputs = "Y:int64", .types = "T: all"},
             .flags = ir::kDataShape,
             .infer = infer_non_zero});
}

}  // namespace onnxrun::ops
