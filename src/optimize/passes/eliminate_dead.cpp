// Removes nodes whose outputs nobody reads.
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

MatchResult match_eliminate_dead(const PassContext& context, ir::NodeId id) {
  const ir::Node& node = context.graph.node(id);
  for (ir::ValueId output : node.outputs)
    if (output != ir::kNone && (!context.graph.value(output).consumers.empty() || context.graph.is_output(output)))
      return MatchResult::none("an output is read");
  ir::Patch patch(context.graph, "remove unread");
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
