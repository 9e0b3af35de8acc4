// Orders the nodes of a graph, and finds the cycle where there is none.
#include <algorithm>
#include <queue>

#include "import/builder.h"

namespace onnxrun::import {
namespace {

template <class Visit>
void each_read(const NodeView& node, Visit&& visit) {
  for (const std::string_view input : node.inputs) visit(input);
  for (const AttributeView& attribute : node.attributes) {
    if (attribute.graph)
      for (const std::string_view name : attribute.graph->free_names) visit(name);
  }
}

// Throws for the nodes that `pending` says still wait: some of them form a cycle.
[[noreturn]] void report_cycle(const GraphView& graph, const std::unordered_map<std::string_view, size_t>& producers,
                               const std::vector<size_t>& pending) {
  const auto waiting_for = [&](size_t node) {
    size_t found = node;
    each_read(graph.nodes[node], [&](std::string_view name) {
      const auto at = producers.find(name);
      if (at != producers.end() && pending[at->second] != 0) found = at->second;
    });
    return found;
  };
  // Walking from any waiting node to one it waits for must come back to a node seen before.
  size_t at = static_cast<size_t>(std::find_if(pending.begin(), pending.end(), [](size_t n) { return n != 0; }) -
                                  pending.begin());
  std::vector<bool> seen(graph.nodes.size());
  while (!seen[at]) {
    seen[at] = true;
    at = waiting_for(at);
  }
  constexpr size_t kShown = 8;
  std::vector<size_t> cycle;
  size_t length = 0;
  for (size_t node = at; length == 0 || node != at; node = waiting_for(node)) {
    if (length++ < kShown) cycle.push_back(node);
  }
  std::string text;
  for (const size_t node : cycle) text += graph.nodes[node].describe() + " needs ";
  text += length > kShown ? fmt::format("... ({} nodes in all)", length) : graph.nodes[at].describe();
  throw Diagnosis(
      Code::kInvalidModel, "the nodes form a cycle: " + text, "a graph without cycles",
      "break the cycle: correct the input that one of these nodes takes, or make a loop of it (Loop, Scan)");
}

}  // namespace

std::vector<size_t> order_nodes(const GraphView& graph, bool& was_ordered) {
  const size_t count = graph.nodes.size();
  std::unordered_map<std::string_view, size_t> producers;
  for (size_t i = 0; i < count; ++i) {
    for (const std::string_view output : graph.nodes[i].outputs) {
      if (!output.empty()) producers.emplace(output, i);
    }
  }
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = i;
  was_ordered = true;
  for (size_t i = 0; i < count; ++i) {
    each_read(graph.nodes[i], [&](std::string_view name) {
      const auto at = producers.find(name);
      if (at != producers.end() && at->second >= i) was_ordered = false;
    });
  }
  if (was_ordered) return order;

  std::vector<std::vector<size_t>> readers(count);
  std::vector<size_t> pending(count);
  for (size_t i = 0; i < count; ++i) {
    each_read(graph.nodes[i], [&](std::string_view name) {
      const auto at = producers.find(name);
      if (at == producers.end()) return;
      readers[at->second].push_back(i);
      ++pending[i];
    });
  }
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < count; ++i) {
    if (pending[i] == 0) ready.push(i);
  }
  order.clear();
  while (!ready.empty()) {
    const size_t node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const size_t reader : readers[node]) {
      if (--pending[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() != count) report_cycle(graph, producers, pending);
  return order;
}

}  // namespace onnxrun::import
