// Outputs that an operator always has, where a file names none.
#pragma once

#include "ir/op.h"

namespace onnxrun::ir {

// Gives fresh values to outputs of a node that is not in a graph yet: to required ones that are absent, and to absent elements of a variadic one, whose
// number says what the operator does. What comes after may rely on them; optional outputs stay absent, trailing ones are dropped.
void complete_outputs(Graph& graph, const Signature& signature, Node& node);

}  // namespace onnxrun::ir
