// Applying patches that move nodes out of a body, where they and what reads them meet types and shapes that the body could not know.
#pragma once

#include "ir/patch.h"

namespace onnxrun::ir {

// As apply, but false, and the graph as it was, where those do not fit. Only a run tells whether such nodes are ever reached.
bool apply_moved(Graph& graph, Patch patch);

}  // namespace onnxrun::ir
