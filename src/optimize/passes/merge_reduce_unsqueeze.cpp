// Lets a reduction keep the axes that an Unsqueeze, or a Reshape, after it puts back.
#include <algorithm>

#include "base/shape.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

bool is_reduction(const ir::Node& node) {
  return *node.op->domain == '\0' && std::string_view(node.op->name).starts_with("Reduce");
}

std::vector<int64_t> normalized(std::vector<int64_t> axes, int64_t rank) {
  for (int64_t& axis : axes) axis = axis < 0 ? axis + rank : axis;
  std::ranges::sort(axes);
  return axes;
}

// Whether a Reshape to `to` puts axes of size 1 where `from` had those that were taken, and nothing else.
bool puts_back(const ir::Shape& from, const std::vector<int64_t>& taken, const ir::Shape& to) {
  if (from.size() != to.size()) return false;
  for (size_t d = 0; d < from.size(); ++d)
    if (to[d] != (std::ranges::binary_search(taken, static_cast<int64_t>(d)) ? ir::Dim(1) : from[d])) return false;
  return true;
}

}  // namespace

MatchResult match_merge_reduce_unsqueeze(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& view = graph.node(id);
  const bool reshapes = is(view, "Reshape");
  if (!reshapes && !is(view, "Unsqueeze")) return MatchResult::none("no Unsqueeze or Reshape");
  const ir::Node* reduction = producer(graph, view.inputs[0]);
  if (reduction == nullptr || !read_once(graph, view.inputs[0])) return MatchResult::none("not read here only");
  const bool by_attribute = is(*reduction, "ArgMax") || is(*reduction, "ArgMin");
  if (!by_attribute && !is_reduction(*reduction)) return MatchResult::none("not of a reduction");
  const int64_t rank = graph.value(reduction->inputs[0]).fact.rank();
  if (rank < 1 || reduction->attributes.get_int("keepdims", 1) != 0) return MatchResult::none("its axes are kept");
  const auto taken = by_attribute ? std::vector<int64_t>{reduction->attributes.get_int("axis", 0)}
                                  : integers(graph, input(*reduction, 1));
  if (!taken || taken->empty()) return MatchResult::none("its axes are not known");
  if (reshapes) {
    const auto &from = graph.value(reduction->inputs[0]).fact.shape, &to = graph.value(view.outputs[0]).fact.shape;
    if (!from || !to || !puts_back(*from, normalized(*taken, rank), *to))
      return MatchResult::none("it puts other axes back");
  } else {
    const auto put = integers(graph, view.inputs[1]);
    if (!put || normalized(*put, rank) != normalized(*taken, rank)) return MatchResult::none("it puts other axes back");
  }
  ir::Attributes attributes = reduction->attributes;
  attributes.set("keepdims", int64_t{1});
  ir::Patch patch(graph, "keep reduced axes");
  patch.replace(view.outputs[0], patch.emit(reduction->op, reduction->inputs, std::move(attributes), reduction->name));
  patch.remove(id);
  patch.remove(reduction->id);
  return patch;
}

}  // namespace onnxrun::optimize
