// Finding nodes and values.
#include <algorithm>

#include "base/error.h"
#include "edit/editor.h"
#include "edit/glob.h"

namespace onnxrun::edit {

using base::Code;
using base::fail;

namespace {

constexpr size_t kShownNames = 6;

std::string name_of(const ir::Graph& graph, const ir::Node& node) {
  if (!node.name.empty()) return node.name;
  for (const ir::ValueId output : node.outputs)
    if (output != ir::kNone) return graph.value(output).name;
  return {};
}

bool has_operator(const ir::Node& node, std::string_view pattern) {
  return matches(pattern, node.op->name) || matches(pattern, node.op->full_name());
}

// Names that contain the one looked for, or are contained in it.
std::string similar(const ir::Graph& graph, std::string_view name) {
  std::string list;
  size_t count = 0;
  for (size_t i = 0; i < graph.value_count() && count < kShownNames; ++i) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    if (value.removed || name.empty()) continue;
    if (value.name.find(name) == std::string::npos && name.find(value.name) == std::string_view::npos) continue;
    list += (list.empty() ? "; similar: '" : ", '") + value.name + "'";
    ++count;
  }
  return list.empty() ? "; 'onnx-run inspect --shapes' lists all" : list;
}

}  // namespace

std::vector<NodeHandle> Editor::select(std::string_view op, std::string_view name) {
  std::vector<NodeHandle> found;
  collect(*model_.graph, {}, op, name, found);
  return found;
}

void Editor::collect(ir::Graph& graph, const Path& path, std::string_view op, std::string_view name,
                     std::vector<NodeHandle>& found) {
  for (const ir::NodeId id : graph.topological_order()) {
    const ir::Node& node = graph.node(id);
    if (has_operator(node, op) && matches(name, name_of(graph, node)))
      found.push_back(number_of(path) << kNodeBits | id);
    for (const ir::Body& body : node.bodies) {
      Path inner = path;
      inner.emplace_back(id, body.name);
      collect(*body.graph, inner, op, name, found);
    }
  }
}

int64_t Editor::number_of(const Path& path) {
  const auto [at, added] = numbers_.emplace(path, static_cast<int64_t>(paths_.size()));
  if (added) paths_.push_back(path);
  return at->second;
}

ir::Graph* Editor::graph_at(const Path& path) {
  ir::Graph* graph = model_.graph.get();
  for (const auto& [id, name] : path) {
    if (!graph->has_node(id)) return nullptr;
    const auto& bodies = graph->node(id).bodies;
    const auto body = std::find_if(bodies.begin(), bodies.end(),
                                   [&, &wanted = name](const ir::Body& candidate) { return candidate.name == wanted; });
    if (body == bodies.end()) return nullptr;
    graph = body->graph.get();
  }
  return graph;
}

std::pair<ir::Graph*, ir::NodeId> Editor::locate(NodeHandle node) {
  const int64_t number = node >> kNodeBits;
  const auto id = static_cast<ir::NodeId>(node & INT32_MAX);
  ir::Graph* graph = node < 0 || static_cast<size_t>(number) >= paths_.size()
                         ? nullptr
                         : graph_at(paths_[static_cast<size_t>(number)]);
  if (!graph || !graph->has_node(id))
    fail(Code::kInvalidArgument, "there is no node {}: it was removed, or never selected", node);
  return {graph, id};
}

ir::ValueId Editor::find(const std::string& name, std::string_view what) const {
  const ir::ValueId id = model_.graph->find_value(name);
  if (id == ir::kNone)
    fail(Code::kInvalidArgument, "{}: there is no value '{}'{}", what, name, similar(*model_.graph, name));
  return id;
}

// The value of that name in the graph or those around it, captured where it is not the graph's own.
ir::ValueId Editor::visible(ir::Graph& graph, const std::string& name) {
  const ir::ValueId id = graph.find_value(name);
  if (id != ir::kNone) return id;
  if (!graph.parent()) return find(name, "the new input");
  return graph.capture(visible(*graph.parent(), name), name);
}

}  // namespace onnxrun::edit
