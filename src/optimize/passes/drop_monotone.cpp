// Lets an ArgMax read what a Softmax or LogSoftmax along its axis reads. The largest element is found exactly; others, and those of functions that approach a
// limit as Sigmoid does, rounding may make equal that were not.
#include "base/shape.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_drop_monotone(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "ArgMax")) return MatchResult::none("no ArgMax");
  const ir::Node* before = producer(graph, node.inputs[0]);
  const int64_t rank = graph.value(node.inputs[0]).fact.rank();
  if (before == nullptr || (!is(*before, "Softmax") && !is(*before, "LogSoftmax")))
    return MatchResult::none("not of a Softmax");
  if (!read_once(graph, node.inputs[0]) || rank < 1 || graph.value(before->inputs[0]).fact.dtype != ir::DType::kFloat32)
    return MatchResult::none("not of floats that a node makes for it alone");
  const auto axis_of = [&](const ir::Node& of, int64_t fallback) {
    return base::normalize_axis(of.attributes.get_int("axis", fallback), rank);
  };
  if (axis_of(*before, -1) != axis_of(node, 0)) return MatchResult::none("not along the Softmax's axis");
  ir::Patch patch(graph, "drop what keeps the order");
  patch.replace(node.outputs[0], patch.emit(node.op, {before->inputs[0]}, node.attributes, node.name));
  patch.remove(id);
  patch.remove(before->id);
  return patch;
}

}  // namespace onnxrun::optimize
