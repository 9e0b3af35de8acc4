// Makes one Reshape of a Reshape, Flatten, Squeeze or Unsqueeze that another Reshape follows.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_merge_reshapes(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  if (!is(outer, "Reshape")) return MatchResult::none("no Reshape");
  const ir::Node* inner = producer(graph, outer.inputs[0]);
  if (inner == nullptr ||
      !(is(*inner, "Reshape") || is(*inner, "Flatten") || is(*inner, "Squeeze") || is(*inner, "Unsqueeze")))
    return MatchResult::none("not of another view");
  const auto &before = graph.value(inner->outputs[0]).fact.shape, &after = graph.value(inner->inputs[0]).fact.shape;
  if (!before || !after || !reshapes_alike(graph, outer, *before, *after))
    return MatchResult::none("its shape may copy a dim of its input");
  ir::Patch patch(graph, "merge Reshapes");
  patch.replace(outer.outputs[0], patch.emit(outer.op, {inner->inputs[0], outer.inputs[1]}, outer.attributes));
  patch.remove(id);
  if (read_once(graph, inner->outputs[0])) patch.remove(inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
