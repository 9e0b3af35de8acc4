// Activations and comparisons as other operators, for providers without kernels for them.
#pragma once

#include "ir/expansion.h"

namespace onnxrun::ops {

// Each emits an equivalent of the source node; false where the type of input 0 is not known or not a floating-point type. The names are
// those of the operators.
bool decompose_relu(ir::Expansion& e);
bool decompose_leaky_relu(ir::Expansion& e);
bool decompose_prelu(ir::Expansion& e);
bool decompose_elu(ir::Expansion& e);
bool decompose_celu(ir::Expansion& e);
bool decompose_selu(ir::Expansion& e);
bool decompose_hard_sigmoid(ir::Expansion& e);
bool decompose_hard_swish(ir::Expansion& e);
bool decompose_softplus(ir::Expansion& e);
bool decompose_softsign(ir::Expansion& e);
bool decompose_thresholded_relu(ir::Expansion& e);
bool decompose_mish(ir::Expansion& e);
bool decompose_gelu(ir::Expansion& e);
bool decompose_shrink(ir::Expansion& e);
bool decompose_swish(ir::Expansion& e);

// For every type.
bool decompose_greater_or_equal(ir::Expansion& e);
bool decompose_less_or_equal(ir::Expansion& e);

}  // namespace onnxrun::ops
