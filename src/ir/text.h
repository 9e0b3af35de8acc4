// The text form of a graph: one line a node with types and shapes, bodies indented, constants abbreviated.
#pragma once

#include <string>

#include "ir/graph.h"

namespace onnxrun::ir {

// For people to read and tests to compare; it cannot be read back. Nodes come in topological order (in id order where there is a cycle):
//   graph main(x: float32[n,3]) -> (y) {
//     w: float32[3,4] = {0.5, 1, ...}
//     y: float32[n,4] = MatMul(x, w)  # node 'fc'
//   }
std::string to_text(const Graph& graph);
// One node of the graph, with a line end; bodies follow on lines of their own.
std::string to_text(const Graph& graph, const Node& node);
// "2", "{0.5, 1, ...}", "'abc'": the first elements of a host tensor.
std::string to_text(const Tensor& tensor);
std::string to_text(const AttributeValue& value);

}  // namespace onnxrun::ir
