// Lets a Concat take the parts of another one along the same axis.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

int64_t axis_of(const ir::Node& node, int64_t rank) {
  const int64_t axis = node.attributes.get_int("axis", 0);
  return axis < 0 ? axis + rank : axis;
}

}  // namespace

MatchResult match_merge_concats(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  if (!is(outer, "Concat")) return MatchResult::none("no Concat");
  const int64_t rank = graph.value(outer.outputs[0]).fact.rank();
  if (rank < 0) return MatchResult::none("unknown rank");
  std::vector<ir::ValueId> parts;
  std::vector<ir::NodeId> merged;
  for (const ir::ValueId part : outer.inputs) {
    const ir::Node* inner = made_by(graph, part, "Concat");
    if (inner == nullptr || !read_once(graph, part) || axis_of(*inner, rank) != axis_of(outer, rank)) {
      parts.push_back(part);
      continue;
    }
    parts.insert(parts.end(), inner->inputs.begin(), inner->inputs.end());
    merged.push_back(inner->id);
  }
  if (merged.empty()) return MatchResult::none("no part is a Concat along this axis");
  ir::Patch patch(graph, "merge Concats");
  patch.replace(outer.outputs[0], patch.emit(outer.op, parts, outer.attributes, outer.name));
  patch.remove(id);
  for (const ir::NodeId inner : merged) patch.remove(inner);
  return patch;
}

}  // namespace onnxrun::optimize
