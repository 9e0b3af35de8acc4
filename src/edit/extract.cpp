// A part of a model's graph as a model of its own.
#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "edit/copy.h"
#include "edit/editor.h"

namespace onnxrun::edit {

using base::Code;
using base::fail;

namespace {

bool contains(const std::vector<ir::ValueId>& ids, ir::ValueId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// What computes `outputs` from `inputs`.
struct Part {
  std::vector<ir::ValueId> inputs, outputs;
  std::unordered_set<ir::ValueId> values;
  std::unordered_set<ir::NodeId> nodes;
};

// Follows the graph from the outputs up to the inputs, or to its beginning.
Part find_part(const ir::Graph& graph, std::vector<ir::ValueId> inputs, std::vector<ir::ValueId> outputs) {
  Part part{std::move(inputs), std::move(outputs), {}, {}};
  const std::unordered_set<ir::ValueId> ends(part.inputs.begin(), part.inputs.end());
  std::vector<ir::ValueId> open = part.outputs;
  while (!open.empty()) {
    const ir::ValueId id = open.back();
    open.pop_back();
    if (!part.values.insert(id).second || ends.contains(id)) continue;
    const ir::NodeId producer = graph.value(id).producer;
    if (producer == ir::kNone || !part.nodes.insert(producer).second) continue;
    const ir::Node& node = graph.node(producer);
    for (const ir::ValueId input : node.inputs)
      if (input != ir::kNone) open.push_back(input);
    for (const ir::Body& body : node.bodies)
      for (const ir::ValueId inner : body.graph->captures()) open.push_back(body.graph->value(inner).outer);
  }
  return part;
}

// The part as a graph; `ids` gets what its values have become.
std::unique_ptr<ir::Graph> graph_of(const ir::Graph& graph, const Part& part, ValueMap& ids) {
  auto result = std::make_unique<ir::Graph>();
  result->name = graph.name;
  result->doc = graph.doc;
  result->metadata = graph.metadata;
  for (const ir::ValueId id : part.inputs) {
    ir::Fact fact = graph.value(id).fact;
    fact.constant = {};
    fact.elements.reset();
    ids[id] = result->add_input(graph.value(id).name, std::move(fact));
  }
  const auto is_made = [&](const ir::Value& value) {
    return value.producer != ir::kNone && part.nodes.contains(value.producer);
  };
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::Value& value = graph.value(id);
    if (value.removed || ids.contains(id) || !(part.values.contains(id) || is_made(value))) continue;
    ids[id] = result->add_value(value.name, value.fact);
  }
  for (const auto& [id, notes] : graph.notes)
    if (const auto found = ids.find(id); found != ids.end()) result->notes[found->second] = notes;
  for (const ir::NodeId id : graph.topological_order()) {
    if (!part.nodes.contains(id)) continue;
    ir::Node node = copy_node(graph.node(id), *result, ids);
    // An input that a node of the part made, beside what is needed of it, is not made any more.
    for (ir::ValueId& output : node.outputs)
      if (output != ir::kNone && result->value(output).is_input)
        output = result->add_value(result->fresh_name(result->value(output).name + "_unused"));
    result->add_node(std::move(node));
  }
  for (const ir::ValueId id : part.outputs) result->add_output(ids.at(id));
  return result;
}

}  // namespace

void Editor::keep(const std::vector<ir::ValueId>& inputs, const std::vector<ir::ValueId>& outputs) {
  const ir::Graph& graph = *model_.graph;
  const Part part = find_part(graph, inputs, outputs);
  ValueMap ids;
  std::unique_ptr<ir::Graph> kept = graph_of(graph, part, ids);
  std::map<ir::ValueId, ir::Tensor> defaults;
  for (const auto& [id, tensor] : model_.input_defaults)
    if (const auto found = ids.find(id); found != ids.end()) defaults.emplace(found->second, tensor);
  std::map<ir::ValueId, std::string> orphans;
  for (const auto& [id, described] : orphans_)
    if (const auto found = ids.find(id); found != ids.end()) orphans.emplace(found->second, described);
  model_.input_defaults = std::move(defaults);
  model_.graph = std::move(kept);
  orphans_ = std::move(orphans);
  paths_.clear();
  numbers_.clear();
}

void Editor::extract(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  const ir::Graph& graph = *model_.graph;
  std::vector<ir::ValueId> sources, targets;
  for (const std::string& name : inputs) {
    const ir::ValueId id = find(name, "the new input");
    if (contains(sources, id)) fail(Code::kInvalidArgument, "the input '{}' is given twice", name);
    if (graph.value(id).fact.kind == ir::TypeKind::kUnknown)
      fail(Code::kInvalidArgument, "the type of '{}' is not known: it cannot become an input", name);
    sources.push_back(id);
  }
  for (const std::string& name : outputs) {
    const ir::ValueId id = find(name, "the new output");
    if (contains(targets, id)) fail(Code::kInvalidArgument, "the output '{}' is given twice", name);
    targets.push_back(id);
  }
  if (outputs.empty()) targets = graph.outputs();
  const Part part = find_part(graph, sources, targets);
  for (const ir::ValueId id : sources)
    if (!part.values.contains(id))
      fail(Code::kInvalidArgument, "no output needs the input '{}': leave it out", graph.value(id).name);
  std::string missing;
  for (const ir::ValueId id : graph.inputs()) {
    if (!part.values.contains(id) || contains(sources, id)) continue;
    // Inputs with defaults stay what they are.
    if (!inputs.empty() && !model_.input_defaults.contains(id))
      missing += (missing.empty() ? "'" : ", '") + graph.value(id).name + "'";
    else sources.push_back(id);
  }
  if (!missing.empty())
    fail(Code::kInvalidArgument, "the outputs need the input {} as well: give that too, or what is computed from it",
         missing);
  keep(sources, targets);
}

void Editor::remove_output(const std::string& name) {
  const ir::ValueId id = find(name, "the output");
  std::vector<ir::ValueId> outputs = model_.graph->outputs();
  if (std::erase(outputs, id) == 0) fail(Code::kInvalidArgument, "'{}' is no output of the model", name);
  if (outputs.empty()) fail(Code::kInvalidArgument, "'{}' is the model's only output: a model has one at least", name);
  keep(model_.graph->inputs(), outputs);
}

}  // namespace onnxrun::edit
