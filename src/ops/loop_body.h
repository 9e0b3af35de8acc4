// What a Loop's body says of how often it runs.
#pragma once

#include "ir/graph.h"

namespace onnxrun::ops {

// Whether a Loop whose body started once stops by its trip count only: the condition that comes out of the body is the one that went in, or true.
bool never_breaks(const ir::Graph& body);

}  // namespace onnxrun::ops
