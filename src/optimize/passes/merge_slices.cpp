// Makes one Slice of two in a row.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "ops/attributes/slice.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

// What a Slice takes of one axis.
struct Range {
  int64_t axis = 0, start = 0, end = 0, step = 1;
};

std::optional<std::vector<Range>> ranges(const ir::Graph& graph, const ir::Node& node, int64_t rank) {
  const auto starts = integers(graph, node.inputs[1]), ends = integers(graph, node.inputs[2]);
  if (!starts || !ends || starts->size() != ends->size()) return std::nullopt;
  std::vector<int64_t> axes(starts->size()), steps(starts->size(), 1);
  std::iota(axes.begin(), axes.end(), 0);
  for (const auto& [place, values] : {std::pair{size_t{3}, &axes}, std::pair{size_t{4}, &steps}}) {
    if (input(node, place) == ir::kNone) continue;
    auto known = integers(graph, node.inputs[place]);
    if (!known || known->size() != starts->size()) return std::nullopt;
    *values = std::move(*known);
  }
  std::vector<Range> result;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank || steps[i] == 0) return std::nullopt;
    result.push_back({axis, (*starts)[i], (*ends)[i], steps[i]});
  }
  return result;
}

// The range of `second` within that of `first`, of an axis of `dim` elements; nothing where it does not fit 64 bits.
std::optional<Range> compose(const Range& first, const Range& second, int64_t dim) {
  const auto outer = ops::attributes::slice_range(dim, first.start, first.end, first.step);
  const auto inner = ops::attributes::slice_range(outer.count, second.start, second.end, second.step);
  if (inner.count == 0) return Range{first.axis, 0, 0, 1};
  Range result{first.axis, 0, 0, 1};
  int64_t offset = 0, last = 0;
  if (inner.count > 1 && __builtin_mul_overflow(first.step, second.step, &result.step)) return std::nullopt;
  if (__builtin_mul_overflow(first.step, inner.first, &offset)) return std::nullopt;
  result.start = outer.first + offset;
  if (__builtin_mul_overflow(result.step, inner.count - 1, &last)) return std::nullopt;
  last += result.start;
  // One beyond the last, on its far side; beyond the first element that is no index but a very negative number.
  if (result.step > 0) result.end = last + 1;
  else result.end = last == 0 ? INT64_MIN : last - 1;
  return result;
}

}  // namespace

MatchResult match_merge_slices(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  if (!is(outer, "Slice")) return MatchResult::none("no Slice");
  const ir::Node* inner = made_by(graph, outer.inputs[0], "Slice");
  if (inner == nullptr) return MatchResult::none("not of a Slice");
  if (!read_once(graph, inner->outputs[0])) return MatchResult::none("the first one is read elsewhere");
  const ir::Fact& data = graph.value(inner->inputs[0]).fact;
  if (!data.shape) return MatchResult::none("unknown rank");
  auto merged = ranges(graph, *inner, data.rank());
  const auto second = ranges(graph, outer, data.rank());
  if (!merged || !second) return MatchResult::none("places are not constant");
  for (const Range& range : *second) {
    const auto same = std::ranges::find_if(*merged, [&](const Range& other) { return other.axis == range.axis; });
    if (same == merged->end()) {
      merged->push_back(range);
      continue;
    }
    const ir::Dim& dim = (*data.shape)[static_cast<size_t>(range.axis)];
    if (!dim.is_constant()) return MatchResult::none("both cut an axis of unknown size");
    const auto composed = compose(*same, range, dim.value());
    if (!composed) return MatchResult::none("places beyond 64 bits");
    *same = *composed;
  }
  std::vector<int64_t> starts, ends, axes, steps;
  for (const Range& range : *merged) {
    starts.push_back(range.start);
    ends.push_back(range.end);
    axes.push_back(range.axis);
    steps.push_back(range.step);
  }
  ir::Patch patch(graph, "merge Slices");
  const auto list = [&](const std::vector<int64_t>& values) {
    return patch.constant(base::Tensor::vector<int64_t>(values));
  };
  const ir::ValueId from = list(starts), to = list(ends), along = list(axes), by = list(steps);
  patch.replace(outer.outputs[0], patch.emit(outer.op, {inner->inputs[0], from, to, along, by}));
  patch.remove(id);
  patch.remove(inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
