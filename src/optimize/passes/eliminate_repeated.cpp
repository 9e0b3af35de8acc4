// Lets readers of an operator that its own result no longer changes read the first of two in a row: Relu of Relu, Floor of Floor.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_eliminate_repeated(const PassContext& context, ir::NodeId id) {
  static constexpr std::string_view kIdempotent[] = {"Abs", "Ceil", "Floor", "Relu", "Round", "Sign"};
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  const std::string_view name = outer.op->name;
  if (*outer.op->domain != '\0' || std::ranges::find(kIdempotent, name) == std::end(kIdempotent))
    return MatchResult::none("it may change its own result");
  if (made_by(graph, outer.inputs[0], name) == nullptr) return MatchResult::none("not of the same operator");
  if (!ir::can_replace(graph, outer.outputs[0], outer.inputs[0]))
    return MatchResult::none("it gives an output of the model its name");
  ir::Patch patch(graph, "remove what is repeated");
  patch.replace(outer.outputs[0], outer.inputs[0]);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
