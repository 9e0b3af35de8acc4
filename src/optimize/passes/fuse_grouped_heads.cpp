// Lets an Attention read keys and values once that are repeated for groups of query heads.
#include <algorithm>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// Keys or values that several query heads read.
struct Repeated {
  ValueId heads = ir::kNone;  // [batch, heads, length, size], or [batch, length, heads, size] where `transpose` is set
  ir::Dim times;
  const Node* transpose = nullptr;  // of [batch, length, heads * times, size]
  bool merged = false;              // `heads` is of another rank, and of `sizes` split
  ir::Shape sizes;
};

const ir::Shape kNoShape;
const ir::Shape& shape_of(const Graph& graph, ValueId value) {
  const auto& shape = graph.value(value).fact.shape;
  return shape ? *shape : kNoShape;
}

// What a Reshape makes of a value that is repeated along an axis put in behind the heads at `axis`.
Repeated repeated(const Graph& graph, ValueId value, size_t axis) {
  const Node* merge = made_by(graph, value, "Reshape");
  const Node* repeat = merge != nullptr ? producer(graph, merge->inputs[0]) : nullptr;
  if (repeat == nullptr || !(is(*repeat, "Expand") || is(*repeat, "Tile"))) return {};
  const Node* insert = producer(graph, repeat->inputs[0]);
  if (insert == nullptr || !(is(*insert, "Unsqueeze") || is(*insert, "Reshape"))) return {};
  const ir::Shape &five = shape_of(graph, repeat->inputs[0]), &wide = shape_of(graph, repeat->outputs[0]),
                  &to = shape_of(graph, value);
  if (five.size() != 5 || wide.size() != 5 || to.size() != 4 || five[axis + 1] != ir::Dim(1)) return {};
  const ir::Dim& times = wide[axis + 1];
  ir::Shape repeats = five, merges = five;
  repeats[axis + 1] = times;
  merges[axis] = five[axis] * times;
  merges.erase(merges.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
  if (wide != repeats || to != merges || !times.is_constant()) return {};
  Repeated result{insert->inputs[0], times, nullptr, false, five};
  result.sizes.erase(result.sizes.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
  result.merged = shape_of(graph, result.heads) != result.sizes;
  return result;
}

// The same of what an Attention reads in heads: they may have been repeated before they were transposed.
Repeated repeated(const Graph& graph, ValueId value) {
  const Node* transpose = made_by(graph, value, "Transpose");
  if (transpose == nullptr) return repeated(graph, value, 1);
  if (graph.value(value).fact.rank() != 4 ||
      ops::attributes::permutation(transpose->attributes, 4) != std::vector<int64_t>{0, 2, 1, 3})
    return {};
  Repeated result = repeated(graph, transpose->inputs[0], 2);
  result.transpose = transpose;
  return result;
}

// The heads as an Attention reads them; kNone where their sizes cannot be asked for.
ValueId unrepeated(const PassContext& context, ir::Patch& patch, const Repeated& from) {
  ValueId heads = from.heads;
  if (from.merged) {
    std::vector<int64_t> shape;
    for (const ir::Dim& dim : from.sizes) shape.push_back(dim.is_constant() ? dim.value() : -1);
    const ir::Shape& whole = shape_of(context.graph, heads);
    for (size_t d = 0; d < 2 && std::ranges::count(shape, -1) > 1; ++d)
      if (d < whole.size() && whole[d] == from.sizes[d]) shape[d] = 0;
    if (std::ranges::count(shape, -1) > 1 || std::ranges::find(from.sizes, ir::Dim(0)) != from.sizes.end())
      return ir::kNone;
    heads = patch.emit(context.table.find("", "Reshape"),
                       {heads, patch.constant(base::Tensor::vector<int64_t>(shape), "shape")});
  }
  if (from.transpose == nullptr) return heads;
  return patch.emit(from.transpose->op, {heads}, from.transpose->attributes, from.transpose->name);
}

}  // namespace

MatchResult match_fuse_grouped_heads(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& attention = graph.node(id);
  if (!is(attention, "Attention") || attention.outputs.size() != 1 || input(attention, 4) != ir::kNone ||
      graph.value(attention.inputs[0]).fact.rank() != 4)
    return MatchResult::none("no Attention of heads without a cache");
  const Repeated k = repeated(graph, attention.inputs[1]), v = repeated(graph, attention.inputs[2]);
  if (k.heads == ir::kNone || v.heads == ir::kNone || k.times != v.times)
    return MatchResult::none("its keys and values are not repeated alike");
  ir::Patch patch(graph, "read repeated heads once");
  std::vector<ValueId> inputs = attention.inputs;
  inputs[1] = unrepeated(context, patch, k);
  inputs[2] = unrepeated(context, patch, v);
  if (inputs[1] == ir::kNone || inputs[2] == ir::kNone) return MatchResult::none("more than one size is not known");
  patch.replace(attention.outputs[0],
                patch.emit(attention.op, std::move(inputs), attention.attributes, attention.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
