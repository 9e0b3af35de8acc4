// Makes one Reshape of a Reshape, Flatten, Squeeze or Unsqueeze that another Reshape follows.
#include <algorithm>

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
  const auto shape = integers(graph, outer.inputs[1]);
  if (!shape) return MatchResult::none("its shape is not constant");
  if (outer.attributes.get_int("allowzero", 0) == 0 && std::find(shape->begin(), shape->end(), 0) != shape->end())
    return MatchResult::none("its shape copies a dim of its input");
  ir::Patch patch(graph, "merge Reshapes");
  patch.replace(outer.outputs[0], patch.emit(outer.op, {inner->inputs[0], outer.inputs[1]}, outer.attributes));
  patch.remove(id);
  if (read_once(graph, inner->outputs[0])) patch.remove(inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
