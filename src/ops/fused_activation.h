// The activation that a fused operator of ONNX Runtime ends with.
#pragma once

#include <optional>
#include <string>

#include "ir/expansion.h"

namespace onnxrun::ops {

// What `activation` and its numbered parameters say; a parameter that is not given keeps its operator's default.
struct FusedActivation {
  std::string kind;  // empty: none
  std::optional<float> alpha, beta, gamma;

  // Of FusedConv and its kin: attributes `activation` and `activation_params` (alpha and beta; of Clip its bounds).
  static FusedActivation of_convolution(const ir::Attributes& attributes);
  // Of FusedGemm and FusedMatMulActivation: attributes `activation`, `activation_alpha`, `activation_beta`, `activation_gamma`.
  static FusedActivation of_product(const ir::Attributes& attributes);

  // Makes output 0 of the source the activation of `x`. Throws kUnsupported naming an unknown activation.
  void finish(ir::Expansion& e, ir::ValueId x) const;
  ir::ValueId emit(ir::Expansion& e, ir::ValueId x) const;
};

// Removes the attributes that say it.
void drop_fused_activation(ir::Attributes& attributes);

}  // namespace onnxrun::ops
