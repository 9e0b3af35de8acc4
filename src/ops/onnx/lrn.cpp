// LRN: local response normalisation across channels (ONNX LRN-13).
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_lrn(ir::InferContext& c) {
  const int64_t size = c.attributes().get_int("size", 0);
  if (size < 1) c.fail("attribute 'size' is {}, expected at least 1", size);
  if (c.rank(0) >= 0 && c.rank(0) < 2)
    c.fail("input 'X' has the shape {}, expected [N, C, D1, ...]", ir::to_string(*c.shape(0)));
  c.set(0, c.dtype(0), c.input(0).shape);
}

}  // namespace

void define_onnx_lrn(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "LRN",
             .versions = {1, 13},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes = "alpha:float, beta:float, bias:float, size:int!"},
             .infer = infer_lrn});
}

}  // namespace onnxrun::ops
