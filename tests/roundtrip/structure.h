// A graph as text that is equal for graphs that compute the same in the same way: names, the order of nodes and unused ones play no part.
#pragma once

#include <string>

#include "ir/graph.h"

namespace onnxrun::test {

// One line a node, from the outputs back; constants by content; axes counted from the front where the rank is known, attributes that say what holds
// without them left out.
std::string structure_of(const ir::Graph& graph);

}  // namespace onnxrun::test
