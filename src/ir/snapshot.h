// The facts of all values of a graph and of the bodies in it, to be put back later.
#pragma once

#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace onnxrun::ir {

class Snapshot {
 public:
  void save(const Graph& graph) {
    std::vector<Fact>& facts = facts_[&graph];
    facts.clear();
    for (size_t i = 0; i < graph.value_count(); ++i) facts.push_back(graph.value(static_cast<ValueId>(i)).fact);
    each_body(graph, [&](const Graph& body) { save(body); });
  }
  void restore(Graph& graph) const {
    const std::vector<Fact>& facts = facts_.at(&graph);
    for (size_t i = 0; i < facts.size(); ++i) graph.value(static_cast<ValueId>(i)).fact = facts[i];
    each_body(graph, [&](Graph& body) { restore(body); });
  }

 private:
  template <class Visit>
  static void each_body(const Graph& graph, const Visit& visit) {
    for (size_t i = 0; i < graph.node_capacity(); ++i)
      if (graph.has_node(static_cast<NodeId>(i)))
        for (const Body& body : graph.node(static_cast<NodeId>(i)).bodies) visit(*body.graph);
  }
  std::unordered_map<const Graph*, std::vector<Fact>> facts_;
};

}  // namespace onnxrun::ir
