// Copies of nodes with the values of another graph.
#include "optimize/inlining.h"

#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace onnxrun::optimize {

using ir::Graph;
using ir::Node;
using ir::ValueId;

namespace {

// A copy of a body for another graph, where each capture stands for what `outer_of` gives for the value that it stood for.
template <class OuterOf>
std::unique_ptr<Graph> recaptured(const Graph& body, const OuterOf& outer_of) {
  const std::unique_ptr<Graph> copy = body.clone();
  std::unordered_map<ValueId, ValueId> places;
  for (const ValueId inner : std::vector<ValueId>(copy->captures())) {
    const auto [place, is_new] = places.emplace(outer_of(copy->value(inner).outer), inner);
    if (is_new) continue;
    // Two captures of what is now one value.
    copy->replace_uses(inner, place->second);
    copy->remove_value(inner);
  }
  for (const auto& [outer, inner] : places) copy->value(inner).outer = outer;
  // A clone finds its captures by the values that they now stand for.
  return copy->clone();
}

}  // namespace

std::vector<ValueId> inline_body(ir::Patch& patch, const Graph& body, std::span<const ValueId> inputs) {
  std::vector<ValueId> places(body.value_count(), ir::kNone);
  for (size_t i = 0; i < body.inputs().size(); ++i) places[static_cast<size_t>(body.inputs()[i])] = inputs[i];
  for (const ValueId inner : body.captures()) places[static_cast<size_t>(inner)] = body.value(inner).outer;
  const auto placed = [&](ValueId id) {
    if (id == ir::kNone) return id;
    ValueId& place = places[static_cast<size_t>(id)];
    const ir::Value& value = body.value(id);
    // What has no producer and is no input is a constant.
    if (place == ir::kNone)
      place = value.producer == ir::kNone ? patch.constant(value.fact.constant, value.name) : patch.value(value.name);
    return place;
  };
  for (const ir::NodeId id : body.topological_order()) {
    const Node& node = body.node(id);
    Node copy = node.without_bodies();
    for (ValueId& in : copy.inputs) in = placed(in);
    for (ValueId& out : copy.outputs) out = placed(out);
    for (const ir::Body& inner : node.bodies) copy.bodies.push_back({inner.name, recaptured(*inner.graph, placed)});
    patch.add(std::move(copy));
  }
  std::vector<ValueId> results;
  for (const ValueId out : body.outputs()) results.push_back(placed(out));
  return results;
}

void replace_node(const PassContext& context, ir::Patch& patch, const Node& node, std::span<const ValueId> results) {
  const Graph& graph = context.graph;
  std::unordered_set<ValueId> named;
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    const ValueId from = node.outputs[k];
    if (from == ir::kNone) continue;
    ValueId to = results[k];
    const bool names = graph.parent() == nullptr && graph.is_output(from);
    if (names && (!ir::can_replace(graph, from, to) || !named.insert(to).second))
      to = patch.emit(context.table.find("", "Identity"), {to});
    patch.replace(from, to);
  }
  patch.remove(node.id);
}

int64_t count_nodes(const Graph& graph) {
  auto count = static_cast<int64_t>(graph.node_count());
  for (size_t id = 0; id < graph.node_capacity(); ++id)
    if (graph.has_node(static_cast<ir::NodeId>(id)))
      for (const ir::Body& body : graph.node(static_cast<ir::NodeId>(id)).bodies) count += count_nodes(*body.graph);
  return count;
}

}  // namespace onnxrun::optimize
