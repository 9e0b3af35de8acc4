// Lets an Attention put the past before its keys and values, and hand out both, where Concats do.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

const Node* extension(const Graph& graph, ValueId value) {
  const Node* concat = made_by(graph, value, "Concat");
  if (concat == nullptr || concat->inputs.size() != 2) return nullptr;
  const int64_t axis = concat->attributes.get_int("axis", 0);
  return graph.value(value).fact.rank() == 4 && (axis == 2 || axis == -2) ? concat : nullptr;
}

bool is_plain(const Node& attention) {
  return attention.outputs.size() == 1 && input(attention, 4) == ir::kNone && input(attention, 6) == ir::kNone &&
         attention.attributes.get_int("is_causal", 0) == 0 &&
         attention.attributes.get_int("left_window_size", -1) < 0 &&
         attention.attributes.get_int("right_window_size", -1) < 0;
}

}  // namespace

MatchResult match_fuse_attention_cache(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& attention = graph.node(id);
  if (!is(attention, "Attention") || !is_plain(attention)) return MatchResult::none("no plain Attention");
  const Node *keys = extension(graph, attention.inputs[1]), *values = extension(graph, attention.inputs[2]);
  if (keys == nullptr || values == nullptr || keys == values)
    return MatchResult::none("its keys and values are not extended");
  // What is left of the Concats' readers must not come before the Attention, whose results they now read.
  std::vector<ValueId> inputs{attention.inputs[0], keys->inputs[1], values->inputs[1]};
  inputs.push_back(input(attention, 3));
  inputs.push_back(keys->inputs[0]);
  inputs.push_back(values->inputs[0]);
  const ir::NodeId concats[] = {keys->id, values->id};
  if (depends_on(graph, inputs, concats)) return MatchResult::none("the extended keys are read before it");
  ir::Patch patch(graph, "extend keys and values in Attention");
  const std::vector<ValueId> results =
      patch.emit_many(attention.op, std::move(inputs), 3, attention.attributes, attention.name);
  patch.replace(attention.outputs[0], results[0]);
  patch.replace(keys->outputs[0], results[1]);
  patch.replace(values->outputs[0], results[2]);
  patch.remove(id);
  patch.remove(keys->id);
  patch.remove(values->id);
  return patch;
}

}  // namespace onnxrun::optimize
