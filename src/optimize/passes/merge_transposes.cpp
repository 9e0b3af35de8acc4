// Makes one Transpose of two in a row.
#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_merge_transposes(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  if (!is(outer, "Transpose")) return MatchResult::none("no Transpose");
  const ir::Node* inner = made_by(graph, outer.inputs[0], "Transpose");
  if (inner == nullptr) return MatchResult::none("not of a Transpose");
  const int64_t rank = graph.value(outer.outputs[0]).fact.rank();
  if (rank < 0) return MatchResult::none("unknown rank");
  std::vector<int64_t> merged = ops::attributes::permutation(outer.attributes, rank);
  const std::vector<int64_t> first = ops::attributes::permutation(inner->attributes, rank);
  for (int64_t& d : merged) d = first[static_cast<size_t>(d)];
  ir::Patch patch(graph, "merge Transposes");
  patch.replace(outer.outputs[0], patch.emit(outer.op, {inner->inputs[0]}, {{"perm", merged}}));
  patch.remove(id);
  if (read_once(graph, inner->outputs[0])) patch.remove(inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
