// Lets a reduction that drops its axes reduce what a Transpose reads, where the axes left stay in their order.
#include <algorithm>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_reduce_untransposed(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (*node.op->domain != '\0' || !std::string_view(node.op->name).starts_with("Reduce") ||
      node.attributes.get_int("keepdims", 1) != 0)
    return MatchResult::none("no reduction that drops axes");
  const ir::Node* transpose = made_by(graph, node.inputs[0], "Transpose");
  auto axes = integers(graph, input(node, 1));
  const int64_t rank = graph.value(node.inputs[0]).fact.rank();
  if (transpose == nullptr || !axes || axes->empty() || rank < 1) return MatchResult::none("not of a Transpose");
  std::vector<int64_t> left = ops::attributes::permutation(transpose->attributes, rank);
  const std::vector<int64_t> permutation = left;
  for (int64_t& axis : *axes) {
    axis = permutation[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
    std::erase(left, axis);
  }
  if (!std::ranges::is_sorted(left)) return MatchResult::none("the axes left are exchanged");
  std::ranges::sort(*axes);
  ir::Patch patch(graph, "reduce untransposed");
  const ir::ValueId places = patch.constant(base::Tensor::vector<int64_t>(*axes), "axes");
  patch.replace(node.outputs[0], patch.emit(node.op, {transpose->inputs[0], places}, node.attributes, node.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
