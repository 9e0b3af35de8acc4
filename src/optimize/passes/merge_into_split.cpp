// Makes one Split of Slices that cut an axis of one value into parts that follow each other.
#include <algorithm>
#include <map>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

struct Part {
  const Node* node;
  int64_t axis, begin, end;
};

// A Slice of one axis of known size, with step 1.
std::optional<Part> part_of(const Graph& graph, const Node& node) {
  if (!is(node, "Slice")) return std::nullopt;
  const auto starts = integers(graph, input(node, 1)), ends = integers(graph, input(node, 2)),
             axes = integers(graph, input(node, 3));
  const auto steps = input(node, 4) == ir::kNone ? std::vector<int64_t>{1} : integers(graph, node.inputs[4]);
  const ir::Fact& whole = graph.value(node.inputs[0]).fact;
  if (!starts || !ends || !axes || !steps || starts->size() != 1 || ends->size() != 1 || axes->size() != 1 ||
      *steps != std::vector<int64_t>{1} || whole.rank() < 1)
    return std::nullopt;
  const int64_t axis = axes->front() < 0 ? axes->front() + whole.rank() : axes->front();
  if (axis < 0 || axis >= whole.rank() || !(*whole.shape)[static_cast<size_t>(axis)].is_constant()) return std::nullopt;
  const int64_t size = (*whole.shape)[static_cast<size_t>(axis)].value();
  const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
  return Part{&node, axis, place(starts->front()), place(ends->front())};
}

}  // namespace

MatchResult match_merge_into_split(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  const auto first = part_of(graph, node);
  if (!first || first->begin != 0) return MatchResult::none("no Slice of an axis from its begin");
  const ValueId x = node.inputs[0];
  const int64_t size = (*graph.value(x).fact.shape)[static_cast<size_t>(first->axis)].value();
  constexpr size_t kMostReaders = 1024;
  if (graph.value(x).consumers.size() > kMostReaders) return MatchResult::none("more readers than are looked at");
  std::map<int64_t, Part> by_begin;
  for (const ir::NodeId reader : graph.value(x).consumers) {
    const auto part = part_of(graph, graph.node(reader));
    if (part && part->node->inputs[0] == x && part->axis == first->axis && part->end > part->begin)
      by_begin.insert_or_assign(part->begin, *part);
  }
  std::vector<Part> parts{*first};
  while (parts.back().end < size) {
    const auto next = by_begin.find(parts.back().end);
    if (next == by_begin.end() || next->second.end <= parts.back().end)
      return MatchResult::none("the parts do not cover the axis");
    parts.push_back(next->second);
  }
  if (parts.size() < 2 || first->end == 0) return MatchResult::none("one part");
  std::vector<int64_t> sizes;
  for (const Part& part : parts) sizes.push_back(part.end - part.begin);
  ir::Patch patch(graph, "make a Split of Slices");
  const std::vector<ValueId> results =
      patch.emit_many(context.table.find("", "Split"), {x, patch.constant(base::Tensor::vector<int64_t>(sizes))},
                      parts.size(), {{"axis", first->axis}});
  for (size_t i = 0; i < parts.size(); ++i) {
    patch.replace(parts[i].node->outputs[0], results[i]);
    patch.remove(parts[i].node->id);
  }
  return patch;
}

}  // namespace onnxrun::optimize
