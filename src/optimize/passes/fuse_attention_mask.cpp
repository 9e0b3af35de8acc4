// Lets an Attention read which keys count, not the 0 and -infinity that a Where makes of it.
#include <cmath>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_fuse_attention_mask(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& attention = graph.node(id);
  if (!is(attention, "Attention") || attention.outputs.size() > 3) return MatchResult::none("no Attention");
  const ir::Node* where = made_by(graph, input(attention, 3), "Where");
  if (where == nullptr) return MatchResult::none("its mask is not chosen");
  const auto seen = number(graph, where->inputs[1]), hidden = number(graph, where->inputs[2]);
  if (seen != 0.0 || !hidden || !(std::isinf(*hidden) && *hidden < 0))
    return MatchResult::none("not of 0 and -infinity");
  const auto &chosen = graph.value(where->outputs[0]).fact.shape, &choice = graph.value(where->inputs[0]).fact.shape;
  if (!chosen || !choice || *chosen != *choice) return MatchResult::none("the choice is broadcast");
  ir::Patch patch(graph, "mask by choice");
  std::vector<ir::ValueId> inputs = attention.inputs;
  inputs[3] = where->inputs[0];
  const std::vector<ir::ValueId> results =
      patch.emit_many(attention.op, std::move(inputs), attention.outputs.size(), attention.attributes, attention.name);
  for (size_t i = 0; i < results.size(); ++i)
    if (attention.outputs[i] != ir::kNone) patch.replace(attention.outputs[i], results[i]);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
