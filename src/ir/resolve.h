// Shapes that only follow from computing known values: of NonZero, Compress or Unique of constants, of a Range between floats.
#pragma once

#include "ir/evaluator.h"
#include "ir/graph.h"

namespace onnxrun::ir {

// Computes small constant parts of the graph as far as shapes that inference left open depend on them, and stores the shapes that follow. The values
// computed are not kept: folding them is a pass's decision. Nothing is said of nodes that fail; the run will do so.
void resolve_shapes(Graph& graph, Evaluator& evaluator);

}  // namespace onnxrun::ir
