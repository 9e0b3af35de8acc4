// Lets readers of a Neg of a Neg, or a Not of a Not, read what is negated.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_eliminate_double_negation(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  if (!is(outer, "Neg") && !is(outer, "Not")) return MatchResult::none("no negation");
  const ir::Node* inner = made_by(graph, outer.inputs[0], outer.op->name);
  if (inner == nullptr) return MatchResult::none("not of a negation");
  if (!ir::can_replace(graph, outer.outputs[0], inner->inputs[0]))
    return MatchResult::none("it gives an output of the model its name");
  ir::Patch patch(graph, "remove a double negation");
  patch.replace(outer.outputs[0], inner->inputs[0]);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
