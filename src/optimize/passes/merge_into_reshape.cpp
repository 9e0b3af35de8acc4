// Lets a Reshape leave out the axes that a Squeeze after it takes away, and put in those that an Unsqueeze adds.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// One size that a Reshape is asked for: a number, or element `at` of the `count` of a value.
struct Entry {
  int64_t number = 1;
  ValueId value = ir::kNone;
  int64_t at = 0, count = 0;
};

// Empty where lengths are not known.
std::vector<Entry> entries_of(const Graph& graph, ValueId shape) {
  const Node* concat = made_by(graph, shape, "Concat");
  std::vector<Entry> entries;
  for (const ValueId value : concat != nullptr ? concat->inputs : std::vector<ValueId>{shape}) {
    const auto dims = graph.value(value).fact.dims();
    if (!dims || dims->size() != 1) return {};
    const auto known = integers(graph, value);
    for (int64_t i = 0; i < dims->front(); ++i)
      entries.push_back(known ? Entry{(*known)[static_cast<size_t>(i)]} : Entry{0, value, i, dims->front()});
  }
  return entries;
}

// The vector of the entries; kNone where not all elements of a computed one follow each other.
ValueId emit(ir::Patch& patch, const Operators& table, const std::vector<Entry>& entries) {
  std::vector<ValueId> parts;
  for (size_t i = 0; i < entries.size();) {
    if (const Entry& first = entries[i]; first.value != ir::kNone) {
      for (int64_t k = 0; k < first.count; ++k, ++i)
        if (i == entries.size() || entries[i].value != first.value || entries[i].at != k) return ir::kNone;
      parts.push_back(first.value);
      continue;
    }
    std::vector<int64_t> numbers;
    for (; i < entries.size() && entries[i].value == ir::kNone; ++i) numbers.push_back(entries[i].number);
    parts.push_back(patch.constant(base::Tensor::vector<int64_t>(numbers), "shape"));
  }
  if (parts.empty()) return patch.constant(base::Tensor::vector<int64_t>(std::span<const int64_t>()), "shape");
  return parts.size() == 1 ? parts[0] : patch.emit(table.find("", "Concat"), parts, {{"axis", int64_t{0}}});
}

}  // namespace

MatchResult match_merge_into_reshape(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  const bool squeezes = is(node, "Squeeze");
  if (!squeezes && !is(node, "Unsqueeze")) return MatchResult::none("no Squeeze");
  const Node* reshape = made_by(graph, node.inputs[0], "Reshape");
  if (reshape == nullptr || !read_once(graph, node.inputs[0])) return MatchResult::none("not of a Reshape");
  auto axes = integers(graph, input(node, 1));
  const int64_t rank = graph.value(squeezes ? node.inputs[0] : node.outputs[0]).fact.rank();
  if (!axes || axes->empty() || rank < 0) return MatchResult::none("its axes are not known");
  for (int64_t& axis : *axes) axis += axis < 0 ? rank : 0;
  std::ranges::sort(*axes);
  std::vector<Entry> entries = entries_of(graph, reshape->inputs[1]);
  if (static_cast<int64_t>(entries.size()) != graph.value(node.inputs[0]).fact.rank())
    return MatchResult::none("what is asked for is not known");
  // A zero copies the dim of its own place.
  for (auto i = static_cast<size_t>(axes->front()); i < entries.size(); ++i)
    if (may_copy(graph, *reshape, i)) return MatchResult::none("a dim may be copied behind");
  if (squeezes) std::ranges::reverse(*axes);
  for (const int64_t axis : *axes) {
    if (axis < 0 || axis > static_cast<int64_t>(entries.size()) - squeezes)
      return MatchResult::none("what is asked for is not known");
    if (squeezes) entries.erase(entries.begin() + axis);
    else entries.insert(entries.begin() + axis, Entry());
  }
  ir::Patch patch(graph, "reshape to other axes");
  const ValueId shape = emit(patch, context.table, entries);
  if (shape == ir::kNone) return MatchResult::none("a size there is computed with others");
  patch.replace(node.outputs[0],
                patch.emit(reshape->op, {reshape->inputs[0], shape}, reshape->attributes, reshape->name));
  patch.remove(id);
  patch.remove(reshape->id);
  return patch;
}

}  // namespace onnxrun::optimize
