// WideMatMul: a float32 MatMul whose right operand stays in the narrower type it is stored in; the optimizer makes it for sessions.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

void infer(ir::InferContext& c) {
  const ir::Shape *a = c.shape(0), *b = c.shape(1);
  for (const size_t i : {0, 1})
    if (c.shape(i) != nullptr && c.shape(i)->empty())
      c.fail("input '{}' is a scalar, expected rank 1 or more", i == 0 ? "A" : "B");
  c.set(0, c.dtype(0), a != nullptr && b != nullptr ? std::optional(matmul_shape(*a, *b)) : std::nullopt);
}

bool decompose(ir::Expansion& e) {
  e.finish("MatMul", {e.input(0), Emitter(e).cast(e.input(1), ir::DType::kFloat32)});
  return true;
}

}  // namespace

void define_onnxrun_wide_matmul(ir::OpTable& table) {
  table.add({.domain = "onnxrun",
             .name = "WideMatMul",
             .versions = {1},
             .signature =
                 {.inputs = "A:float32, B:T", .outputs = "Y:float32", .types = "T: float16 bfloat16", .attributes = ""},
             .infer = infer,
             .decompose = decompose});
}

}  // namespace onnxrun::ops
