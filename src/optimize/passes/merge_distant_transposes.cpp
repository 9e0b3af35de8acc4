// Makes one Transpose of two between which each row is only multiplied with one matrix, shifted, split or viewed otherwise: leading axes may be exchanged before
// that or after it. What is computed of a row stays; kernels may take rows in other groups.
#include <algorithm>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::Shape;
using ir::ValueId;

using Order = std::vector<int64_t>;

constexpr size_t kMaxSteps = 8;

Order order_of(const Graph& graph, const Node& transpose) {
  return ops::attributes::permutation(transpose.attributes, graph.value(transpose.inputs[0]).fact.rank());
}

// A node that keeps the first `leading` axes and computes each row behind them by itself, from its input at `index`.
struct Step {
  const Node* node = nullptr;
  size_t index = 0, leading = 0;
};

Step view(const Graph& graph, const Node& reshape) {
  const Shape *from = known_shape(graph, reshape.inputs[0]), *to = known_shape(graph, reshape.outputs[0]);
  if (from == nullptr || to == nullptr) return {};
  const auto [a, b] = std::ranges::mismatch(*from, *to);
  const bool known = std::all_of(b, to->end(), [](const ir::Dim& d) { return d.is_constant() && d.value() > 0; });
  return known ? Step{&reshape, 0, static_cast<size_t>(b - to->begin())} : Step{};
}

Step step(const Graph& graph, const Node& node) {
  const Shape* result = known_shape(graph, node.outputs[0]);
  if (result == nullptr || result->size() < 2) return {};
  if (is(node, "Reshape")) return view(graph, node);
  const auto rank = [&](size_t i) { return graph.value(node.inputs[i]).fact.rank(); };
  const bool keeps_rank = rank(0) == static_cast<int64_t>(result->size());
  if (is(node, "MatMul") && keeps_rank && rank(1) == 2) return {&node, 0, result->size() - 1};
  if (is(node, "Split") && keeps_rank) {
    const int64_t axis = node.attributes.get_int("axis", 0);
    if (axis == -1 || axis + 1 == rank(0)) return {&node, 0, result->size() - 1};
  }
  if (is(node, "Add"))
    for (size_t i = 0; i < 2; ++i) {
      const Shape* x = known_shape(graph, node.inputs[i]);
      const int64_t other = rank(1 - i);
      if (x != nullptr && *x == *result && (other == 0 || other == 1)) return {&node, i, result->size() - 1};
    }
  return {};
}

// The steps above a value, nearest first, up to a Transpose that only they need.
struct Chain {
  const Node* transpose = nullptr;
  std::vector<Step> steps;
  size_t leading = 0;
};

Chain above(const Graph& graph, ValueId value, size_t leading) {
  Chain chain{nullptr, {}, leading};
  while (chain.steps.size() < kMaxSteps && read_once(graph, value)) {
    const Node* node = producer(graph, value);
    if (node == nullptr) break;
    if (is(*node, "Transpose")) {
      if (graph.value(node->inputs[0]).fact.rank() >= 0) chain.transpose = node;
      break;
    }
    const Step next = is(*node, "Split") ? Step{} : step(graph, *node);
    if (next.node == nullptr) break;
    chain.leading = std::min(chain.leading, next.leading);
    chain.steps.push_back(next);
    value = node->inputs[next.index];
  }
  return chain;
}

bool keeps_rows(const Order& order, size_t leading) {
  for (size_t d = leading; d < order.size(); ++d)
    if (order[d] != static_cast<int64_t>(d)) return false;
  return true;
}

// The steps once more, from another value whose rows lie in another order.
ValueId repeat(const PassContext& context, ir::Patch& patch, const Chain& chain, ValueId value) {
  for (size_t i = chain.steps.size(); i-- > 0;) {
    const Node& node = *chain.steps[i].node;
    std::vector<ValueId> inputs = node.inputs;
    inputs[chain.steps[i].index] = value;
    ir::Attributes attributes = node.attributes;
    if (is(node, "Reshape")) {
      const Shape& to = *known_shape(context.graph, node.outputs[0]);
      Order wanted(chain.steps[i].leading, 0);
      for (size_t d = wanted.size(); d < to.size(); ++d) wanted.push_back(to[d].value());
      inputs[1] = patch.constant(base::Tensor::vector<int64_t>(wanted), "shape");
      attributes = {};
    }
    value = patch.emit(node.op, std::move(inputs), std::move(attributes), node.name);
  }
  return value;
}

void remove(ir::Patch& patch, const Chain& chain) {
  for (const Step& step : chain.steps) patch.remove(step.node->id);
  patch.remove(chain.transpose->id);
}

// Lets a Split read untransposed where each of its results is viewed and transposed again.
MatchResult split_first(const PassContext& context, const Node& split) {
  const Graph& graph = context.graph;
  const Step own = step(graph, split);
  if (own.node == nullptr) return MatchResult::none("not along the last axis");
  for (const ValueId part : split.outputs) {
    const Node* reader = part == ir::kNone ? nullptr : only_reader(graph, part);
    if (reader != nullptr && is(*reader, "Reshape") && view(graph, *reader).leading >= own.leading)
      reader = only_reader(graph, reader->outputs[0]);
    if (reader == nullptr || !is(*reader, "Transpose")) return MatchResult::none("a part is not transposed again");
  }
  const Chain chain = above(graph, split.inputs[0], own.leading);
  if (chain.transpose == nullptr) return MatchResult::none("no Transpose above it");
  const Order order = order_of(graph, *chain.transpose);
  if (!keeps_rows(order, chain.leading)) return MatchResult::none("rows are transposed above it");
  ir::Patch patch(graph, "transpose after a Split");
  std::vector<ValueId> inputs = split.inputs;
  inputs[0] = repeat(context, patch, chain, chain.transpose->inputs[0]);
  const std::vector<ValueId> parts =
      patch.emit_many(split.op, std::move(inputs), split.outputs.size(), split.attributes, split.name);
  for (size_t i = 0; i < parts.size(); ++i)
    patch.replace(split.outputs[i], patch.emit(chain.transpose->op, {parts[i]}, {{"perm", order}}));
  patch.remove(split.id);
  remove(patch, chain);
  return patch;
}

}  // namespace

MatchResult match_merge_distant_transposes(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (is(node, "Split")) return split_first(context, node);
  if (!is(node, "Transpose") || graph.value(node.inputs[0]).fact.rank() < 2) return MatchResult::none("no Transpose");
  const Order last = order_of(graph, node);
  const Chain chain = above(graph, node.inputs[0], last.size());
  if (chain.transpose == nullptr || chain.steps.empty()) return MatchResult::none("no Transpose above it");
  const Order first = order_of(graph, *chain.transpose);
  const size_t leading = chain.leading;
  const bool early = keeps_rows(first, leading), late = keeps_rows(last, leading);
  if (!early && !late) return MatchResult::none("both transpose rows");
  ir::Patch patch(graph, "merge distant Transposes");
  const ir::OpDef* transpose = node.op;
  ValueId value = chain.transpose->inputs[0];
  if (early) {
    Order order = last;
    for (int64_t& axis : order)
      if (axis < static_cast<int64_t>(leading)) axis = first[static_cast<size_t>(axis)];
    value = repeat(context, patch, chain, value);
    value = patch.emit(transpose, {value}, {{"perm", order}}, node.name);
  } else {
    Order order = first;
    for (size_t d = 0; d < leading; ++d) order[d] = first[static_cast<size_t>(last[d])];
    value = patch.emit(transpose, {value}, {{"perm", order}}, chain.transpose->name);
    value = repeat(context, patch, chain, value);
  }
  patch.replace(node.outputs[0], value);
  patch.remove(id);
  remove(patch, chain);
  return patch;
}

}  // namespace onnxrun::optimize
