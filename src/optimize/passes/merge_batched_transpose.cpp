// Makes one Transpose of matrices of a Reshape that makes their leading axes one, a Transpose, and a Reshape that splits the axis again.
#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_merge_batched_transpose(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& split = graph.node(id);
  if (!is(split, "Reshape")) return MatchResult::none("no Reshape");
  const ir::Node* transpose = made_by(graph, split.inputs[0], "Transpose");
  const ir::Node* merge = transpose != nullptr ? made_by(graph, transpose->inputs[0], "Reshape") : nullptr;
  if (merge == nullptr || graph.value(merge->outputs[0]).fact.rank() != 3 ||
      ops::attributes::permutation(transpose->attributes, 3) != std::vector<int64_t>{0, 2, 1})
    return MatchResult::none("no matrices between two Reshapes");
  const auto &from = graph.value(merge->inputs[0]).fact.shape, &to = graph.value(split.outputs[0]).fact.shape,
             &three = graph.value(merge->outputs[0]).fact.shape;
  if (!from || !to || from->size() != to->size() || from->size() < 3) return MatchResult::none("another rank");
  const size_t n = from->size();
  for (size_t d = 0; d + 2 < n; ++d)
    if ((*from)[d] != (*to)[d]) return MatchResult::none("other leading axes");
  if ((*from)[n - 2] != (*three)[1] || (*from)[n - 1] != (*three)[2] || (*to)[n - 2] != (*from)[n - 1] ||
      (*to)[n - 1] != (*from)[n - 2])
    return MatchResult::none("other matrices");
  std::vector<int64_t> permutation;
  for (size_t d = 0; d + 2 < n; ++d) permutation.push_back(static_cast<int64_t>(d));
  permutation.push_back(static_cast<int64_t>(n) - 1);
  permutation.push_back(static_cast<int64_t>(n) - 2);
  ir::Patch patch(graph, "transpose matrices where they are");
  patch.replace(split.outputs[0], patch.emit(transpose->op, {merge->inputs[0]}, {{"perm", permutation}}, split.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
