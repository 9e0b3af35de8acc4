// Exchanges what a Where of a Not chooses from.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_turn_where(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& where = graph.node(id);
  if (!is(where, "Where")) return MatchResult::none("no Where");
  const ir::Node* negation = made_by(graph, where.inputs[0], "Not");
  if (negation == nullptr) return MatchResult::none("not of a Not");
  ir::Patch patch(graph, "choose the other way round");
  patch.replace(where.outputs[0], patch.emit(where.op, {negation->inputs[0], where.inputs[2], where.inputs[1]},
                                             where.attributes, where.name));
  patch.remove(id);
  if (read_once(graph, where.inputs[0])) patch.remove(negation->id);
  return patch;
}

}  // namespace onnxrun::optimize
