// Two models made one.
#include <algorithm>

#include "base/error.h"
#include "edit/copy.h"
#include "edit/editor.h"

namespace onnxrun::edit {

using base::Code;
using base::fail;

namespace {

std::string names_of(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::string list;
  for (const ir::ValueId id : ids) list += (list.empty() ? "'" : ", '") + graph.value(id).name + "'";
  return list;
}

ir::ValueId port(const ir::Graph& graph, const std::vector<ir::ValueId>& ports, const std::string& name,
                 std::string_view what) {
  const ir::ValueId id = graph.find_value(name);
  if (id == ir::kNone || std::find(ports.begin(), ports.end(), id) == ports.end())
    fail(Code::kInvalidArgument, "{} '{}'; there are: {}", what, name, names_of(graph, ports));
  return id;
}

}  // namespace

void Editor::merge(const ir::Model& other, const std::vector<std::pair<std::string, std::string>>& links,
                   const std::string& prefix) {
  ir::Model changed = model_.clone();
  ir::Graph& graph = *changed.graph;
  const ir::Graph& added = *other.graph;
  ValueMap ids;
  std::vector<ir::ValueId> outputs = graph.outputs();
  // Both models may read the same input.
  std::vector<ir::ValueId> ports = outputs;
  ports.insert(ports.end(), graph.inputs().begin(), graph.inputs().end());
  for (const auto& [from, to] : links) {
    const ir::ValueId source = port(graph, ports, from, "the first model has no output or input");
    const ir::ValueId target = port(added, added.inputs(), to, "the second model has no input");
    if (!ids.emplace(target, source).second) fail(Code::kInvalidArgument, "the input '{}' is linked twice", to);
    if (!ir::types_agree(graph.value(source).fact, added.value(target).fact))
      fail(Code::kInvalidArgument, "the output '{}' is {} and the input '{}' wants {}", from,
           graph.value(source).fact.to_string(), to, added.value(target).fact.to_string());
    std::erase(outputs, source);
  }
  // Inputs and outputs first: they keep their names, the others give way.
  for (const bool is_port : {true, false})
    for (size_t i = 0; i < added.value_count(); ++i) {
      const auto id = static_cast<ir::ValueId>(i);
      const ir::Value& value = added.value(id);
      if (value.removed || ids.contains(id) || is_port != (value.is_input || value.output_uses > 0)) continue;
      const std::string name = prefix + value.name;
      if (is_port && graph.find_value(name) != ir::kNone)
        fail(Code::kInvalidArgument,
             "both models have a value '{}': link it, rename it, or give the second model's names a prefix", name);
      ids[id] =
          value.is_input ? graph.add_input(name, value.fact) : graph.add_value(graph.fresh_name(name), value.fact);
    }
  for (const auto& [id, notes] : added.notes)
    if (const auto found = ids.find(id); found != ids.end()) graph.notes.emplace(found->second, notes);
  for (const auto& [id, tensor] : other.input_defaults)
    if (const ir::ValueId input = ids.at(id); graph.value(input).is_input)
      changed.input_defaults.emplace(input, tensor);
  for (const ir::NodeId id : added.topological_order()) {
    ir::Node node = copy_node(added.node(id), graph, ids);
    if (!node.name.empty()) node.name = prefix + node.name;
    graph.add_node(std::move(node));
  }
  for (const ir::ValueId id : added.outputs()) {
    const ir::ValueId output = ids.at(id);
    if (std::find(outputs.begin(), outputs.end(), output) != outputs.end()) continue;
    outputs.push_back(output);
    if (!graph.is_output(output)) graph.add_output(output);
  }
  for (const auto& [domain, version] : other.opset_imports) {
    int64_t& newest = changed.opset_imports[domain];
    newest = std::max(newest, version);
  }
  changed.ir_version = std::max(changed.ir_version, other.ir_version);
  changed.metadata.insert(other.metadata.begin(), other.metadata.end());
  for (const auto& [name, parameters] : other.quantization_annotations) {
    std::map<std::string, std::string> renamed;
    for (const auto& [key, value] : parameters) renamed[key] = prefix + value;
    changed.quantization_annotations.emplace(prefix + name, std::move(renamed));
  }
  struct Both {
    std::shared_ptr<const void> first, second;
  };
  changed.storage = std::make_shared<const Both>(Both{changed.storage, other.storage});
  model_ = std::move(changed);
  if (outputs != graph.outputs()) keep(graph.inputs(), outputs);
}

}  // namespace onnxrun::edit
