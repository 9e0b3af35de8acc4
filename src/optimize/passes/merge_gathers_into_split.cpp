// Makes one Split of Gathers that each take one of the parts in which a Reshape cuts an axis, before or after a Transpose, as packed queries, keys and values
// are taken apart.
#include <algorithm>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;

// The axis of `from` that `to` has as two; -1.
int64_t cut_axis(const ir::Shape& from, const ir::Shape& to) {
  if (to.size() != from.size() + 1) return -1;
  size_t axis = 0;
  while (axis < from.size() && from[axis] == to[axis]) ++axis;
  // The first of two equal dims may be the one that is cut into 1 and itself; then nothing is to be gained.
  if (axis == from.size() || to[axis] * to[axis + 1] != from[axis]) return -1;
  for (size_t d = axis + 1; d < from.size(); ++d)
    if (from[d] != to[d + 1]) return -1;
  return static_cast<int64_t>(axis);
}

// Which part a node takes of `value` along `axis`, which it drops; -1.
int64_t part_of(const Graph& graph, const Node& node, ir::ValueId value, int64_t axis, int64_t parts) {
  if (!is(node, "Gather") || node.inputs[0] != value || graph.value(node.inputs[1]).fact.rank() != 0) return -1;
  const auto index = integers(graph, node.inputs[1]);
  const int64_t own = node.attributes.get_int("axis", 0);
  if (!index || (own < 0 ? own + graph.value(value).fact.rank() : own) != axis) return -1;
  const int64_t part = (*index)[0] < 0 ? (*index)[0] + parts : (*index)[0];
  return part < parts ? part : -1;
}

}  // namespace

MatchResult match_merge_gathers_into_split(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& cut = graph.node(id);
  if (!is(cut, "Reshape")) return MatchResult::none("no Reshape");
  const auto &from = graph.value(cut.inputs[0]).fact.shape, &to = graph.value(cut.outputs[0]).fact.shape;
  if (!from || !to) return MatchResult::none("a rank is not known");
  const int64_t cut_at = cut_axis(*from, *to);
  if (cut_at < 0 || !(*to)[static_cast<size_t>(cut_at)].is_constant() ||
      !(*to)[static_cast<size_t>(cut_at) + 1].is_constant())
    return MatchResult::none("it cuts no axis in two of known sizes");
  ir::ValueId whole = cut.outputs[0];
  int64_t axis = cut_at;
  if (const Node* transpose = only_reader(graph, whole); transpose != nullptr && is(*transpose, "Transpose")) {
    std::vector<int64_t> left = ops::attributes::permutation(transpose->attributes, static_cast<int64_t>(to->size()));
    axis = std::ranges::find(left, cut_at) - left.begin();
    std::erase(left, cut_at);
    if (!std::ranges::is_sorted(left)) return MatchResult::none("the other axes are exchanged");
    whole = transpose->outputs[0];
  }
  const int64_t parts = (*to)[static_cast<size_t>(cut_at)].value(),
                size = (*to)[static_cast<size_t>(cut_at) + 1].value();
  const auto& readers = graph.value(whole).consumers;
  if (parts < 2 || size < 1 || graph.is_output(whole) || readers.size() != static_cast<size_t>(parts))
    return MatchResult::none("its parts are not read one by one");
  std::vector<const Node*> takers(static_cast<size_t>(parts), nullptr);
  for (const ir::NodeId reader : readers) {
    const int64_t part = part_of(graph, graph.node(reader), whole, axis, parts);
    if (part < 0 || takers[static_cast<size_t>(part)] != nullptr)
      return MatchResult::none("its parts are not read one by one");
    takers[static_cast<size_t>(part)] = &graph.node(reader);
  }
  ir::Patch patch(graph, "make a Split of Gathers");
  const std::vector<int64_t> sizes(static_cast<size_t>(parts), size);
  const std::vector<ir::ValueId> results = patch.emit_many(
      context.table.find("", "Split"), {cut.inputs[0], patch.constant(base::Tensor::vector<int64_t>(sizes))},
      takers.size(), {{"axis", cut_at}});
  for (size_t i = 0; i < takers.size(); ++i) {
    patch.replace(takers[i]->outputs[0], results[i]);
    patch.remove(takers[i]->id);
  }
  if (whole != cut.outputs[0]) patch.remove(graph.value(whole).producer);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
