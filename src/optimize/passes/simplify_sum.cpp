// Makes an Add of a Sum of two, which is what patterns look for.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_simplify_sum(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "Sum") || node.inputs.size() != 2) return MatchResult::none("no Sum of two");
  ir::Patch patch(graph, "make an Add of a Sum");
  patch.replace(node.outputs[0], patch.emit(context.table.find("", "Add"), node.inputs, {}, node.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
