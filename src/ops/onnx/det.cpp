// Det: determinants of square matrices (ONNX Det-22).
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_det(ir::InferContext& c) {
  const ir::Shape* in = c.shape(0);
  if (in == nullptr) return c.set(0, c.dtype(0));
  const size_t rank = in->size();
  if (rank < 2 ||
      ((*in)[rank - 1].is_constant() && (*in)[rank - 2].is_constant() && (*in)[rank - 1] != (*in)[rank - 2]))
    c.fail("input 'X' has the shape {}, expected square matrices", ir::to_string(*in));
  c.set(0, c.dtype(0), ir::Shape(in->begin(), in->end() - 2));
}

}  // namespace

void define_onnx_det(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Det",
             .versions = {11, 22},
             .signature = {.inputs = "X:T", .outputs = "Y:T", .types = "T: floats"},
             .infer = infer_det});
}

}  // namespace onnxrun::ops
