// Makes one Squeeze, or one Unsqueeze, of two in a row, and nothing of an Unsqueeze whose axes a Squeeze takes away.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

// The axes, counted from 0 and ascending, of a node between values of these ranks.
std::optional<std::vector<int64_t>> axes_of(const ir::Graph& graph, const ir::Node& node, int64_t larger_rank) {
  if (input(node, 1) == ir::kNone || larger_rank < 0) return std::nullopt;
  auto axes = integers(graph, node.inputs[1]);
  if (!axes) return std::nullopt;
  for (int64_t& axis : *axes) {
    if (axis < 0) axis += larger_rank;
    if (axis < 0 || axis >= larger_rank) return std::nullopt;
  }
  std::ranges::sort(*axes);
  if (std::ranges::adjacent_find(*axes) != axes->end()) return std::nullopt;
  return axes;
}

// `inner` with those of `outer`, which count the axes that `inner` leaves.
std::vector<int64_t> joined(const std::vector<int64_t>& inner, const std::vector<int64_t>& outer) {
  std::vector<int64_t> result = inner;
  int64_t place = 0, left = 0;
  for (const int64_t wanted : outer)
    for (;; ++place) {
      if (std::ranges::binary_search(inner, place)) continue;
      if (left++ == wanted) {
        result.push_back(place++);
        break;
      }
    }
  std::ranges::sort(result);
  return result;
}

}  // namespace

MatchResult match_merge_squeezes(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  const bool squeezes = is(outer, "Squeeze");
  if (!squeezes && !is(outer, "Unsqueeze")) return MatchResult::none("no Squeeze");
  const ir::Node* inner = producer(graph, outer.inputs[0]);
  if (inner == nullptr || !(is(*inner, "Squeeze") || is(*inner, "Unsqueeze")))
    return MatchResult::none("not of another one");
  const auto rank = [&](ir::ValueId value) { return graph.value(value).fact.rank(); };
  const auto larger = [&](const ir::Node& node) {
    return rank(is(node, "Squeeze") ? node.inputs[0] : node.outputs[0]);
  };
  const auto first = axes_of(graph, *inner, larger(*inner)), second = axes_of(graph, outer, larger(outer));
  if (!first || !second) return MatchResult::none("axes are not known");
  ir::Patch patch(graph, squeezes ? "merge Squeezes" : "merge Unsqueezes");
  if (is(*inner, outer.op->name)) {
    const std::vector<int64_t> axes = squeezes ? joined(*first, *second) : joined(*second, *first);
    patch.replace(outer.outputs[0],
                  patch.emit(outer.op, {inner->inputs[0], patch.constant(base::Tensor::vector<int64_t>(axes))}));
  } else {
    if (*first != *second) return MatchResult::none("they do not undo each other");
    if (!ir::can_replace(graph, outer.outputs[0], inner->inputs[0]))
      return MatchResult::none("it gives an output of the model its name");
    patch.replace(outer.outputs[0], inner->inputs[0]);
  }
  patch.remove(id);
  if (read_once(graph, inner->outputs[0])) patch.remove(inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
