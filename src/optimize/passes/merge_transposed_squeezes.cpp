// Transposes without axes of size 1 that a Squeeze after it takes away, or for which a Reshape after it makes no difference: an Unsqueeze or a Reshape before it
// need not add them.
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

// Those of constant size 1.
std::vector<int64_t> ones(const ir::Shape& shape) {
  std::vector<int64_t> axes;
  for (size_t d = 0; d < shape.size(); ++d)
    if (shape[d] == ir::Dim(1)) axes.push_back(static_cast<int64_t>(d));
  return axes;
}

}  // namespace

MatchResult match_merge_transposed_squeezes(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& root = graph.node(id);
  const bool squeezes = is(root, "Squeeze");
  if (!squeezes && !is(root, "Reshape")) return MatchResult::none("no Squeeze or Reshape");
  const ir::Node* transpose = made_by(graph, root.inputs[0], "Transpose");
  const ir::Node* maker = transpose != nullptr ? producer(graph, transpose->inputs[0]) : nullptr;
  const auto& before = graph.value(root.inputs[0]).fact.shape;
  if (maker == nullptr || !before || !graph.value(transpose->inputs[0]).fact.shape)
    return MatchResult::none("not of a Transpose of another view");
  const auto rank = static_cast<int64_t>(before->size());
  const std::vector<int64_t> permutation = ops::attributes::permutation(transpose->attributes, rank);
  const auto added = is(*maker, "Unsqueeze") ? axes_of(graph, *maker, rank) : std::nullopt;
  // The axes before the Transpose that nobody needs.
  std::vector<int64_t> dropped;
  if (squeezes) {
    const auto taken = axes_of(graph, root, rank);
    if (!taken) return MatchResult::none("axes are not known");
    for (const int64_t axis : *taken) dropped.push_back(permutation[static_cast<size_t>(axis)]);
  } else if (added) {
    dropped = *added;
  } else if (is(*maker, "Reshape")) {
    dropped = ones(*graph.value(transpose->inputs[0]).fact.shape);
  }
  std::ranges::sort(dropped);
  const bool undone = added && std::ranges::is_permutation(*added, dropped);
  if (dropped.empty() || (!undone && !(is(*maker, "Reshape") && read_once(graph, root.inputs[0]) &&
                                       read_once(graph, transpose->inputs[0]))))
    return MatchResult::none("nothing added them");
  // The axes that stay, numbered without those dropped.
  std::vector<int64_t> left;
  ir::Shape after;
  for (size_t d = 0; d < permutation.size(); ++d) {
    const int64_t axis = permutation[d];
    if (std::ranges::binary_search(dropped, axis)) continue;
    left.push_back(axis - (std::ranges::lower_bound(dropped, axis) - dropped.begin()));
    after.push_back((*before)[d]);
  }
  if (!squeezes && !reshapes_alike(graph, root, *before, after))
    return MatchResult::none("its shape may copy a dim of its input");
  ir::Patch patch(graph, "transpose without axes that come and go");
  const ir::ValueId from =
      undone ? maker->inputs[0]
             : patch.emit(context.table.find("", "Squeeze"),
                          {transpose->inputs[0], patch.constant(base::Tensor::vector<int64_t>(dropped), "axes")});
  // The Transpose stays where others read it, and keeps its name then.
  const std::string name = read_once(graph, root.inputs[0]) ? transpose->name : "";
  ir::ValueId result = patch.emit(transpose->op, {from}, {{"perm", left}}, name);
  if (!squeezes) result = patch.emit(root.op, {result, root.inputs[1]}, root.attributes, root.name);
  patch.replace(root.outputs[0], result);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
