// SwiGLU: the gate A through Swish, times B (ONNX SwiGLU-28).
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

void infer_swiglu(ir::InferContext& c) {
  const ir::Shape *a = c.shape(0), *b = c.shape(1);
  if (a != nullptr && b != nullptr) {
    bool same = a->size() == b->size();
    for (size_t d = 0; same && d < a->size(); ++d)
      same = !(*a)[d].is_constant() || !(*b)[d].is_constant() || (*a)[d] == (*b)[d];
    if (!same)
      c.fail("SwiGLU needs inputs 'A' and 'B' of one shape, got {} and {}", ir::to_string(*a), ir::to_string(*b));
  }
  ir::Fact out = ir::Fact::tensor(c.dtype(0));
  out.shape = c.input(0).shape;
  if (!out.shape) out.shape = c.input(1).shape;
  for (size_t d = 0; a != nullptr && b != nullptr && d < a->size(); ++d)
    if (!(*a)[d].is_constant() && !(*b)[d].is_unknown()) (*out.shape)[d] = (*b)[d];
  c.set(0, std::move(out));
}

bool decompose_swiglu(ir::Expansion& e) {
  const ir::ValueId gate = e.emit("Swish", {e.input(0)}, {{"alpha", e.attributes().get_float("alpha", 1.0f)}});
  e.finish("Mul", {gate, e.input(1)});
  return true;
}

}  // namespace

void define_onnx_swiglu(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "SwiGLU",
             .versions = {28},
             .signature = {.inputs = "A:T, B:T", .outputs = "Y:T", .types = "T: floats", .attributes = "alpha:float"},
             .infer = infer_swiglu,
             .decompose = decompose_swiglu});
}

}  // namespace onnxrun::ops
