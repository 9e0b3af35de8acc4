// Splits an axis in the Reshape before a Transpose where a Reshape after it does: heads that are merged with the batch for a Transpose and split from it again.
#include <algorithm>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::Shape;

// The axis of `from` that alone `to` has as several; -1.
int64_t split_axis(const Shape& from, const Shape& to) {
  if (to.size() <= from.size()) return -1;
  const size_t parts = to.size() - from.size() + 1;
  for (size_t axis = 0; axis < from.size(); ++axis) {
    Dim product(1);
    for (size_t d = 0; d < parts; ++d) product = product * to[axis + d];
    if (product == from[axis] && std::equal(from.begin() + static_cast<std::ptrdiff_t>(axis) + 1, from.end(),
                                            to.begin() + static_cast<std::ptrdiff_t>(axis + parts)))
      return static_cast<int64_t>(axis);
    if (from[axis] != to[axis]) return -1;
  }
  return -1;
}

// The shape as a Reshape is asked for it; nullopt where more than one size is not known, or one is 0.
std::optional<std::vector<int64_t>> asked(const Shape& shape) {
  std::vector<int64_t> result;
  for (const Dim& dim : shape) {
    if (dim.is_constant() && dim.value() == 0) return std::nullopt;
    result.push_back(dim.is_constant() ? dim.value() : -1);
  }
  return std::ranges::count(result, -1) <= 1 ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace

MatchResult match_split_before_transpose(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& split = graph.node(id);
  if (!is(split, "Reshape")) return MatchResult::none("no Reshape");
  const ir::Node* transpose = made_by(graph, split.inputs[0], "Transpose");
  if (transpose == nullptr || !read_once(graph, split.inputs[0]) || !read_once(graph, transpose->inputs[0]) ||
      made_by(graph, transpose->inputs[0], "Reshape") == nullptr)
    return MatchResult::none("not of a Transpose of a Reshape");
  const auto &turned = graph.value(split.inputs[0]).fact.shape, &to = graph.value(split.outputs[0]).fact.shape,
             &from = graph.value(transpose->inputs[0]).fact.shape;
  if (!turned || !to || !from) return MatchResult::none("a rank is not known");
  const int64_t at = split_axis(*turned, *to);
  if (at < 0) return MatchResult::none("it splits no axis");
  const std::vector<int64_t> order =
      ops::attributes::permutation(transpose->attributes, static_cast<int64_t>(from->size()));
  const auto more = static_cast<int64_t>(to->size() - from->size());
  const int64_t axis = order[static_cast<size_t>(at)];
  Shape shape(from->begin(), from->begin() + axis);
  shape.insert(shape.end(), to->begin() + at, to->begin() + at + more + 1);
  shape.insert(shape.end(), from->begin() + axis + 1, from->end());
  const auto wanted = asked(shape);
  if (!wanted) return MatchResult::none("two sizes are not known, or one is none");
  std::vector<int64_t> perm;
  for (const int64_t old : order) {
    perm.push_back(old > axis ? old + more : old);
    for (int64_t part = 1; old == axis && part <= more; ++part) perm.push_back(axis + part);
  }
  ir::Patch patch(graph, "split before a Transpose");
  const ir::ValueId parts =
      patch.emit(split.op, {transpose->inputs[0], patch.constant(base::Tensor::vector<int64_t>(*wanted), "shape")}, {},
                 split.name);
  patch.replace(split.outputs[0], patch.emit(transpose->op, {parts}, {{"perm", perm}}, transpose->name));
  patch.remove(id);
  patch.remove(transpose->id);
  return patch;
}

}  // namespace onnxrun::optimize
