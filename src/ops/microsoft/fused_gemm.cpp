// com.microsoft.FusedGemm: Gemm followed by an activation. It is lifted to both; the optimizer makes some again.
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/fused_activation.h"
#include "ops/products.h"

namespace onnxrun::ops {
namespace {

bool decompose_fused_gemm(ir::Expansion& e) {
  const FusedActivation activation = FusedActivation::of_product(e.attributes());
  ir::Attributes attributes = e.attributes();
  drop_fused_activation(attributes);
  activation.finish(e, e.emit("Gemm", e.source().inputs, std::move(attributes)));
  return true;
}

}  // namespace

void define_microsoft_fused_gemm(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "FusedGemm",
       .versions = {1},
       .signature = {.inputs = "A:T, B:T, C?:T",
                     .outputs = "Y:T",
                     .types = "T: floats uint32 uint64 int32 int64",
                     .attributes =
                         "activation:string, activation_alpha:float, activation_beta:float, activation_gamma:float, "
                         "alpha:float, beta:float, transA:int, transB:int"},
       .infer = infer_gemm,
       .lift = [](ir::Expansion& e, int) { decompose_fused_gemm(e); },
       .lower = ir::lower_unchanged,
       .decompose = decompose_fused_gemm});
}

}  // namespace onnxrun::ops
