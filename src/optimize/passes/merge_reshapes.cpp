// Makes one Reshape of a Reshape, Flatten, Squeeze or Unsqueeze that another Reshape follows.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

// Whether the dims that a Reshape of the view copies are those of what it is a view of.
bool copies_the_same(const ir::Graph& graph, const ir::Node& view, const std::vector<int64_t>& shape) {
  const auto& before = graph.value(view.inputs[0]).fact.shape;
  const auto& after = graph.value(view.outputs[0]).fact.shape;
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 0 && !(before && after && i < before->size() && i < after->size() && (*before)[i] == (*after)[i]))
      return false;
  return true;
}

}  // namespace

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
  if (outer.attributes.get_int("allowzero", 0) == 0 && !copies_the_same(graph, *inner, *shape))
    return MatchResult::none("its shape copies a dim of its input");
  ir::Patch patch(graph, "merge Reshapes");
  patch.replace(outer.outputs[0], patch.emit(outer.op, {inner->inputs[0], outer.inputs[1]}, outer.attributes));
  patch.remove(id);
  if (read_once(graph, inner->outputs[0])) patch.remove(inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
