// The check of a node's input types alone, for nodes that are not canonical yet.
#pragma once

#include "ir/op.h"

namespace onnxrun::ir {

// Throws kInvalidModel for an input whose known type fits neither the operator's version that the node is written for nor its canonical one. `written`
// may be null where that is the canonical one.
void check_input_types(const Signature* written, const Signature& canonical, const Graph& graph, const Node& node);

}  // namespace onnxrun::ir
