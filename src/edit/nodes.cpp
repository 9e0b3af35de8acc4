// Edits of single nodes.
#include <algorithm>

#include "base/error.h"
#include "edit/editor.h"
#include "ir/parse.h"

namespace onnxrun::edit {

using base::Code;
using base::fail;

namespace {

// Whether nothing is known by which the two differ, and as much is known of one as of the other.
bool same_type(const ir::Fact& a, const ir::Fact& b) {
  if (a.kind != b.kind || a.dtype != b.dtype || a.key != b.key || a.shape.has_value() != b.shape.has_value())
    return false;
  if ((a.element == nullptr) != (b.element == nullptr) || (a.element && !same_type(*a.element, *b.element)))
    return false;
  if (!a.shape) return true;
  if (a.shape->size() != b.shape->size()) return false;
  for (size_t i = 0; i < a.shape->size(); ++i) {
    const ir::Dim &x = (*a.shape)[i], &y = (*b.shape)[i];
    if (!(x == y) && !(x.is_unknown() && y.is_unknown())) return false;
  }
  return true;
}

bool is_read(const ir::Value& value) { return !value.consumers.empty() || value.output_uses > 0; }

ir::ValueId stand_in(const ir::Graph& graph, const ir::Node& node, ir::ValueId output) {
  for (const bool constants : {false, true})
    for (const ir::ValueId input : node.inputs) {
      if (input == ir::kNone) continue;
      const ir::Value& value = graph.value(input);
      if ((value.producer == ir::kNone && value.fact.constant) != constants) continue;
      if (same_type(value.fact, graph.value(output).fact)) return input;
    }
  return ir::kNone;
}

std::string type_of(const ir::Graph& graph, ir::ValueId id) {
  ir::Fact fact = graph.value(id).fact;
  fact.elements.reset();
  return fact.to_string();
}

}  // namespace

void Editor::rename_node(NodeHandle node, std::string name) {
  const auto [graph, id] = locate(node);
  graph->node(id).name = std::move(name);
}

void Editor::remove_node(NodeHandle node) {
  const auto [graph, id] = locate(node);
  if (graph->parent())
    for (const ir::ValueId output : graph->node(id).outputs)
      if (output != ir::kNone && is_read(graph->value(output)))
        fail(Code::kInvalidArgument, "{} is in a body and its output '{}' is read: bypass it instead",
             graph->node(id).describe(*graph), graph->value(output).name);
  const std::string described = graph->node(id).describe(*graph);
  const ir::Node removed = graph->take_node(id);
  for (const ir::ValueId output : removed.outputs) {
    if (output == ir::kNone) continue;
    if (!is_read(graph->value(output))) graph->remove_value(output);
    else if (!graph->parent()) orphans_[output] = described;
  }
}

void Editor::bypass_node(NodeHandle handle) {
  const auto [graph, id] = locate(handle);
  const ir::Node& node = graph->node(id);
  std::vector<std::pair<ir::ValueId, ir::ValueId>> replaced;
  for (const ir::ValueId output : node.outputs) {
    if (output == ir::kNone || !is_read(graph->value(output))) continue;
    const ir::ValueId input = stand_in(*graph, node, output);
    if (input == ir::kNone) {
      std::string inputs;
      for (const ir::ValueId other : node.inputs)
        if (other != ir::kNone)
          inputs +=
              fmt::format("{}'{}' {}", inputs.empty() ? "" : ", ", graph->value(other).name, type_of(*graph, other));
      fail(Code::kInvalidArgument,
           "{} cannot be bypassed: its output '{}' is {} and no input has that type and shape ({})",
           node.describe(*graph), graph->value(output).name, type_of(*graph, output),
           inputs.empty() ? "it has none" : inputs);
    }
    replaced.emplace_back(output, input);
  }
  for (const auto& [from, to] : replaced) replace(*graph, from, to);
  const ir::Node removed = graph->take_node(id);
  for (const ir::ValueId output : removed.outputs)
    if (output != ir::kNone && !is_read(graph->value(output)) && graph->value(output).producer == ir::kNone)
      graph->remove_value(output);
}

// An output of the model keeps its name: the value that replaces it takes it, or where that has to keep its own, a copy of it.
void Editor::replace(ir::Graph& graph, ir::ValueId from, ir::ValueId to) {
  const bool is_output = !graph.parent() && graph.is_output(from);
  if (!is_output) return graph.replace_uses(from, to);
  const std::string name = graph.value(from).name;
  const ir::Value& source = graph.value(to);
  const bool keeps_name = source.is_input || graph.is_output(to) || source.producer == ir::kNone;
  graph.rename_value(from, graph.fresh_name(name + "_before"));
  if (!keeps_name) {
    graph.replace_uses(from, to);
    return graph.rename_value(to, name);
  }
  ir::Node copy;
  copy.op = table_.get("", "Identity");
  copy.inputs = {to};
  const ir::ValueId result = graph.add_value(name, graph.value(from).fact);
  copy.outputs = {result};
  copy.origin = {name};
  graph.add_node(std::move(copy));
  for (size_t i = 0; i < graph.outputs().size(); ++i)
    if (graph.outputs()[i] == from) graph.set_output(i, result);
  graph.replace_uses(from, to);
}

void Editor::insert(std::string_view text) {
  ir::Model changed = model_.clone();
  ir::parse_into(*changed.graph, text, table_);
  model_ = std::move(changed);
  std::erase_if(orphans_, [&](const auto& orphan) { return model_.graph->value(orphan.first).producer != ir::kNone; });
}

void Editor::set_node_input(NodeHandle handle, size_t index, const std::string& value) {
  const auto [graph, id] = locate(handle);
  const ir::Node& node = graph->node(id);
  const size_t declared = table_.signature(*node.op).max_inputs;
  const size_t most = declared == SIZE_MAX ? node.inputs.size() + 1 : declared;  // a list without end grows one by one
  if (index >= most)
    fail(Code::kInvalidArgument, "{} has no input {}: it takes {}", node.describe(*graph), index, most);
  const ir::ValueId source = value.empty() ? ir::kNone : visible(*graph, value);
  graph->set_input(id, index, source);
  // What was captured on the way counts as read by the nodes around.
  const Path& path = paths_[static_cast<size_t>(handle >> kNodeBits)];
  for (size_t depth = 0; depth < path.size(); ++depth)
    graph_at(Path(path.begin(), path.begin() + static_cast<ptrdiff_t>(depth)))->refresh_captures(path[depth].first);
}

void Editor::replace_uses(const std::string& from, const std::string& to) {
  const ir::ValueId source = find(from, "replaced value"), target = find(to, "replacing value");
  if (source == target) return;
  replace(*model_.graph, source, target);
}

}  // namespace onnxrun::edit
