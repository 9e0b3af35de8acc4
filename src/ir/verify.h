// The verifier: checks that a graph keeps the invariants which everything else relies on.
#pragma once

#include "ir/graph.h"

namespace onnxrun::ir {

// Checks ids, names, producers, consumers, captures, interface and acyclicity of the graph and all its bodies. Throws kInternal naming
// the graph and what is broken. Linear in the size of the graph but for the sorting of nodes.
void verify(const Graph& graph);

}  // namespace onnxrun::ir
