// The order in which a graph's nodes can run.
#include <algorithm>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace onnxrun::ir {

namespace {

constexpr size_t kNamedNodes = 5;

// Follows producers that also wait until a node comes up again; `waiting[node]` is not 0 for nodes on or behind a cycle.
std::string describe_cycle(const Graph& graph, const std::vector<uint32_t>& waiting) {
  const auto waits = [&](NodeId id) { return id != kNone && waiting[static_cast<size_t>(id)] > 0; };
  const auto waiting_producer = [&](const Node& node) {
    const auto of = [&](ValueId value) { return value == kNone ? kNone : graph.value(value).producer; };
    for (ValueId input : node.inputs)
      if (waits(of(input))) return of(input);
    for (const Body& body : node.bodies)
      for (ValueId inner : body.graph->captures())
        if (const NodeId producer = of(body.graph->value(inner).outer); waits(producer)) return producer;
    return kNone;
  };
  NodeId at = 0;
  while (!waits(at)) ++at;
  std::vector<uint32_t> step(waiting.size(), 0);
  std::vector<NodeId> path;
  while (at != kNone && step[static_cast<size_t>(at)] == 0) {
    path.push_back(at);
    step[static_cast<size_t>(at)] = static_cast<uint32_t>(path.size());
    at = waiting_producer(graph.node(at));
  }
  if (at != kNone) path.erase(path.begin(), path.begin() + step[static_cast<size_t>(at)] - 1);
  std::reverse(path.begin(), path.end());  // in the order of the data flow
  std::string text;
  for (size_t i = 0; i < path.size() && i < kNamedNodes; ++i)
    text += (i ? " -> " : "") + graph.node(path[i]).describe(graph);
  if (path.size() > kNamedNodes) text += fmt::format(" -> ... ({} nodes)", path.size());
  return text;
}

}  // namespace

std::vector<NodeId> Graph::topological_order() const {
  std::vector<uint32_t> waiting(nodes_.size(), 0);
  for (const Value& value : values_)
    if (value.producer != kNone)
      for (NodeId consumer : value.consumers) ++waiting[static_cast<size_t>(consumer)];
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  for (size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i] && waiting[i] == 0) ready.push(static_cast<NodeId>(i));
  std::vector<NodeId> order;
  order.reserve(node_count_);
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    order.push_back(id);
    for (ValueId output : node(id).outputs) {
      if (output == kNone) continue;
      for (NodeId consumer : value(output).consumers)
        if (--waiting[static_cast<size_t>(consumer)] == 0) ready.push(consumer);
    }
  }
  if (order.size() != node_count_)
    base::fail(base::Code::kInvalidModel, "graph '{}' has a cycle: {}", name, describe_cycle(*this, waiting));
  return order;
}

}  // namespace onnxrun::ir
