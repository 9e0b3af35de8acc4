// Putting the nodes of a body into the graph around it.
#pragma once

#include <span>
#include <vector>

#include "optimize/pass.h"

namespace onnxrun::optimize {

// Adds a copy of the body's nodes to the patch, with `inputs` for the body's inputs. Returns what the body's outputs are: values of the graph or of the patch.
std::vector<ir::ValueId> inline_body(ir::Patch& patch, const ir::Graph& body, std::span<const ir::ValueId> inputs);

// Lets readers of the node's outputs read `results`, and removes the node. An output of the model whose name cannot be given to its result is made by an Identity.
void replace_node(const PassContext& context, ir::Patch& patch, const ir::Node& node,
                  std::span<const ir::ValueId> results);

// Nodes of a graph, those of bodies included.
int64_t count_nodes(const ir::Graph& graph);

}  // namespace onnxrun::optimize
