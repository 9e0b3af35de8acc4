// The checks of a node's inputs alone, for nodes that are not canonical yet.
#pragma once

#include <span>

#include "ir/op.h"

namespace onnxrun::ir {

// Throws kInvalidModel where an input that the operator needs is absent.
void check_required_inputs(const Signature& signature, const Node& node);

// Throws kInvalidModel for an input whose known type fits neither the operator's version that the node is written for nor its canonical one. `written`
// may be null where that is the canonical one.
void check_input_types(const Signature* written, const Signature& canonical, const Graph& graph, const Node& node);

// Throws kInvalidModel for an input of a canonical node whose type nobody knew while the model was loaded, where the one that a run brings is none of the
// operator's. `facts` are those of the run, null where an input is absent.
void check_late_types(const Signature& signature, const Graph& graph, const Node& node,
                      std::span<const Fact* const> facts);

}  // namespace onnxrun::ir
