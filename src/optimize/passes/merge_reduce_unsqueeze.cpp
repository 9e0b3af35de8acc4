// Lets a reduction keep the axes that an Unsqueeze after it puts back.
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

}  // namespace

MatchResult match_merge_reduce_unsqueeze(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& unsqueeze = graph.node(id);
  if (!is(unsqueeze, "Unsqueeze")) return MatchResult::none("no Unsqueeze");
  const ir::Node* reduction = producer(graph, unsqueeze.inputs[0]);
  if (reduction == nullptr || !read_once(graph, unsqueeze.inputs[0])) return MatchResult::none("not read here only");
  const bool by_attribute = is(*reduction, "ArgMax") || is(*reduction, "ArgMin");
  if (!by_attribute && !is_reduction(*reduction)) return MatchResult::none("not of a reduction");
  const int64_t rank = graph.value(reduction->inputs[0]).fact.rank();
  if (rank < 1 || reduction->attributes.get_int("keepdims", 1) != 0) return MatchResult::none("its axes are kept");
  const auto put = integers(graph, unsqueeze.inputs[1]);
  const auto taken = by_attribute ? std::vector<int64_t>{reduction->attributes.get_int("axis", 0)}
                                  : integers(graph, input(*reduction, 1));
  if (!put || !taken || taken->empty() || normalized(*put, rank) != normalized(*taken, rank))
    return MatchResult::none("other axes are put back");
  ir::Attributes attributes = reduction->attributes;
  attributes.set("keepdims", int64_t{1});
  ir::Patch patch(graph, "keep reduced axes");
  patch.replace(unsqueeze.outputs[0],
                patch.emit(reduction->op, reduction->inputs, std::move(attributes), reduction->name));
  patch.remove(id);
  patch.remove(reduction->id);
  return patch;
}

}  // namespace onnxrun::optimize
