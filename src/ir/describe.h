// Nodes with what is known of their inputs, for errors.
#pragma once

#include <string>

#include "ir/graph.h"

namespace onnxrun::ir {

// "node 'c' (Relu) with inputs x: float32[3]"; `fact_of(i)` gives the fact of input i, null where it is absent.
template <class FactOf>
std::string describe(const Graph& graph, const Node& node, const FactOf& fact_of) {
  std::string text = node.describe(graph);
  const char* separator = " with inputs ";
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Fact* fact = fact_of(i);
    if (fact == nullptr) continue;
    text += separator + graph.value(node.inputs[i]).name + ": " + fact->to_string();
    separator = ", ";
  }
  return text;
}

}  // namespace onnxrun::ir
