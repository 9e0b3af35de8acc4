// Lets an ArgMax read what a function reads that keeps the order of its elements: Softmax along its axis, Log, Exp, Sqrt and the like. Rounding may make
// elements equal that were not.
#include <algorithm>

#include "base/shape.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_drop_monotone(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "ArgMax") && !is(node, "ArgMin")) return MatchResult::none("no ArgMax");
  const ir::Node* before = producer(graph, node.inputs[0]);
  const int64_t rank = graph.value(node.inputs[0]).fact.rank();
  if (before == nullptr || !read_once(graph, node.inputs[0]) || rank < 1 ||
      graph.value(before->inputs[0]).fact.dtype != ir::DType::kFloat32)
    return MatchResult::none("not of floats that a node makes for it alone");
  const auto axis_of = [&](const ir::Node& of, int64_t fallback) {
    return base::normalize_axis(of.attributes.get_int("axis", fallback), rank);
  };
  // Those that every float has a place in the order of; of numbers below 0, Log and Sqrt make NaN.
  static constexpr std::string_view kNames[] = {"Exp", "Sigmoid", "Tanh", "Atan", "Erf", "Softplus"};
  const bool by_row = is(*before, "Softmax") || is(*before, "LogSoftmax");
  if (by_row ? axis_of(*before, -1) != axis_of(node, 0)
             : *before->op->domain != '\0' ||
                   std::ranges::find(kNames, std::string_view(before->op->name)) == std::end(kNames))
    return MatchResult::none("not of a function that keeps the order");
  ir::Patch patch(graph, "drop what keeps the order");
  patch.replace(node.outputs[0], patch.emit(node.op, {before->inputs[0]}, node.attributes, node.name));
  patch.remove(id);
  patch.remove(before->id);
  return patch;
}

}  // namespace onnxrun::optimize
