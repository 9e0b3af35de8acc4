// Nodes and their bodies copied; captured values become those of the new surroundings.
#include "edit/copy.h"

#include "base/error.h"

namespace onnxrun::edit {

namespace {

ir::ValueId mapped(const ValueMap& ids, ir::ValueId id, const ir::Node& node) {
  if (id == ir::kNone) return id;
  const auto found = ids.find(id);
  if (found == ids.end())
    base::fail(base::Code::kInternal, "node '{}' needs a value that its new graph lacks", node.name);
  return found->second;
}

std::unique_ptr<ir::Graph> copy_body(const ir::Graph& body, const ir::Node& owner, ir::Graph& parent,
                                     const ValueMap& outer_ids) {
  auto copy = std::make_unique<ir::Graph>(&parent);
  copy->name = body.name;
  copy->doc = body.doc;
  copy->metadata = body.metadata;
  ValueMap ids;
  for (const ir::ValueId id : body.inputs()) ids[id] = copy->add_input(body.value(id).name, body.value(id).fact);
  for (size_t i = 0; i < body.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::Value& value = body.value(id);
    if (value.removed || value.is_input) continue;
    // Captures of values that have become one are one, too.
    ids[id] = value.outer == ir::kNone ? copy->add_value(value.name, value.fact)
                                       : copy->capture(mapped(outer_ids, value.outer, owner), value.name);
  }
  for (const auto& [id, notes] : body.notes)
    if (const auto found = ids.find(id); found != ids.end()) copy->notes[found->second] = notes;
  for (const ir::NodeId id : body.topological_order()) copy->add_node(copy_node(body.node(id), *copy, ids));
  for (const ir::ValueId id : body.outputs()) copy->add_output(ids.at(id));
  return copy;
}

}  // namespace

ir::Node copy_node(const ir::Node& node, ir::Graph& target, const ValueMap& ids) {
  ir::Node copy = node.without_bodies();
  for (ir::ValueId& id : copy.inputs) id = mapped(ids, id, node);
  for (ir::ValueId& id : copy.outputs) id = mapped(ids, id, node);
  for (const ir::Body& body : node.bodies)
    copy.bodies.push_back({body.name, copy_body(*body.graph, node, target, ids)});
  return copy;
}

}  // namespace onnxrun::edit
