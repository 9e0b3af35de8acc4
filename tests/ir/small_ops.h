// A few operators for the tests of the ir room, which knows none of its own.
#pragma once

#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ir::testing {

// Add, Relu, Identity, Concat (rank 1, elements), Shape, Split (two outputs), Run (body 'body' of one input and output, inferred until its
// state's shape holds), Reshape (signature only), Sum (variadic), Pack (heterogeneous variadic), Fails.
const OpTable& small_ops();

// Adds a node; returns its first output. `outputs` are the names of its outputs.
ValueId add(Graph& graph, const char* op, std::vector<ValueId> inputs, std::vector<std::string> outputs,
            std::string name = {});

}  // namespace onnxrun::ir::testing
