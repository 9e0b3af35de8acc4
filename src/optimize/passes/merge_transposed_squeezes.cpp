// Makes one Transpose of an Unsqueeze, a Transpose and a Squeeze that takes the new axes away from where they went.
#include <algorithm>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

// From 0 on; nullopt where they are not known.
std::optional<std::vector<int64_t>> axes_of(const ir::Graph& graph, const ir::Node& node, int64_t rank) {
  auto axes = integers(graph, input(node, 1));
  if (!axes) return std::nullopt;
  for (int64_t& axis : *axes)
    if (axis < 0) axis += rank;
  return axes;
}

}  // namespace

MatchResult match_merge_transposed_squeezes(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& squeeze = graph.node(id);
  if (!is(squeeze, "Squeeze")) return MatchResult::none("no Squeeze");
  const ir::Node* transpose = made_by(graph, squeeze.inputs[0], "Transpose");
  const ir::Node* unsqueeze = transpose != nullptr ? made_by(graph, transpose->inputs[0], "Unsqueeze") : nullptr;
  const int64_t rank = graph.value(squeeze.inputs[0]).fact.rank();
  if (unsqueeze == nullptr || rank < 1) return MatchResult::none("not of a Transpose of an Unsqueeze");
  const auto added = axes_of(graph, *unsqueeze, rank), taken = axes_of(graph, squeeze, rank);
  if (!added || !taken || added->size() != taken->size()) return MatchResult::none("axes are not known");
  const std::vector<int64_t> permutation = ops::attributes::permutation(transpose->attributes, rank);
  const auto is_added = [&](int64_t axis) { return std::ranges::find(*added, axis) != added->end(); };
  for (const int64_t axis : *taken)
    if (!is_added(permutation[static_cast<size_t>(axis)])) return MatchResult::none("it takes other axes away");
  // The axes that stay, numbered without those added.
  std::vector<int64_t> left;
  for (const int64_t axis : permutation) {
    if (is_added(axis)) continue;
    left.push_back(axis - std::ranges::count_if(*added, [&](int64_t other) { return other < axis; }));
  }
  ir::Patch patch(graph, "transpose without axes that come and go");
  patch.replace(squeeze.outputs[0],
                patch.emit(transpose->op, {unsqueeze->inputs[0]}, {{"perm", left}}, transpose->name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
