// Copying parts of graphs into others.
#pragma once

#include <map>

#include "ir/graph.h"

namespace onnxrun::edit {

// Values of one graph to those of another that stand for them.
using ValueMap = std::map<ir::ValueId, ir::ValueId>;

// A copy of a node for another graph, `target`, whose values stand for the old ones as `ids` says; it is not added yet. Throws kInternal where one is missing.
ir::Node copy_node(const ir::Node& node, ir::Graph& target, const ValueMap& ids);

}  // namespace onnxrun::edit
