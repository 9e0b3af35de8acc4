// Lets readers of an Identity read its input.
#include <string_view>

#include "optimize/pipeline.h"

namespace onnxrun::optimize {

MatchResult match_eliminate_identity(const PassContext& context, ir::NodeId id) {
  const ir::Node& node = context.graph.node(id);
  if (std::string_view(node.op->name) != "Identity" || *node.op->domain != '\0')
    return MatchResult::none("no Identity");
  const ir::ValueId from = node.outputs[0], to = node.inputs[0];
  if (!ir::can_replace(context.graph, from, to)) return MatchResult::none("it gives an output of the model its name");
  ir::Patch patch(context.graph, "remove Identity");
  patch.replace(from, to);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
