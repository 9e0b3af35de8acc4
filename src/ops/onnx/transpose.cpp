// Transpose: the axes in another order (ONNX Transpose-25).
#include "ops/attributes/transpose.h"

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_transpose(ir::InferContext& c) {
  const ir::Shape* input = c.shape(0);
  if (input == nullptr) {
    const size_t rank = c.attributes().get_ints("perm").size();
    return rank == 0 ? c.set(0, c.dtype(0)) : c.set(0, c.dtype(0), ir::Shape(rank));
  }
  const auto perm = attributes::permutation(c.attributes(), c.rank(0));
  if (input->size() <= 1) return set_reshaped(c, *input);
  ir::Shape out;
  for (int64_t axis : perm) out.push_back((*input)[static_cast<size_t>(axis)]);
  c.set(0, c.dtype(0), std::move(out));
}

}  // namespace

void define_onnx_transpose(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Transpose",
             .versions = {1, 13, 21, 23, 24, 25},
             .signature = {.inputs = "data:T", .outputs = "transposed:T", .types = "T: all", .attributes = "perm:ints"},
             .infer = infer_transpose});
}

}  // namespace onnxrun::ops
