// Makes one RotaryEmbedding of x * cos + concat(-x2, x1) * sin for the halves x1 and x2 of each head, where both halves of cos and of sin are the same.
#include <algorithm>
#include <cstring>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr int kDepth = 16;

int64_t rank_of(const Graph& graph, ValueId value) { return graph.value(value).fact.rank(); }

// Whether a node reads `axis` of a value of rank `rank`, which may be counted from the end, as its attribute 'axis'.
bool along_last(const Graph& graph, const Node& node, int64_t fallback) {
  const int64_t axis = node.attributes.get_int("axis", fallback), rank = rank_of(graph, node.outputs[0]);
  return rank > 0 && (axis == -1 || axis == rank - 1);
}

bool has_equal_halves(const base::Tensor& tensor) {
  if (tensor.rank() < 1 || tensor.dims().back() % 2 != 0 || tensor.count() == 0 || base::is_sub_byte(tensor.dtype()) ||
      tensor.dtype() == ir::DType::kString)
    return false;
  const size_t half =
      tensor.bytes() / static_cast<size_t>(tensor.count()) * static_cast<size_t>(tensor.dims().back()) / 2;
  const auto* bytes = static_cast<const char*>(tensor.raw());
  for (size_t at = 0; at + 2 * half <= tensor.bytes(); at += 2 * half)
    if (std::memcmp(bytes + at, bytes + at + half, half) != 0) return false;
  return true;
}

// Whether the second half of the last axis provably repeats the first.
bool repeats(const Graph& graph, ValueId value, int depth) {
  if (const base::Tensor* known = constant(graph, value)) return has_equal_halves(*known);
  const Node* node = producer(graph, value);
  if (node == nullptr || depth == 0 || node->inputs.empty()) return false;
  const ValueId x = node->inputs[0];
  const auto again = [&](ValueId of) { return repeats(graph, of, depth - 1); };
  if (is(*node, "Concat")) return node->inputs.size() == 2 && x == node->inputs[1] && along_last(graph, *node, 0);
  if (is(*node, "Cos") || is(*node, "Sin") || is(*node, "Cast") || is(*node, "Identity") || is(*node, "Neg"))
    return again(x);
  if (is(*node, "Mul") || is(*node, "Add") || is(*node, "Sub") || is(*node, "Div")) {
    for (size_t k = 0; k < 2; ++k)
      if (has_one_element(graph, node->inputs[1 - k]) && rank_of(graph, node->inputs[k]) == rank_of(graph, value))
        return again(node->inputs[k]);
    return false;
  }
  const int64_t rank = rank_of(graph, value), before = rank_of(graph, x);
  if (rank < 1 || before < 1) return false;
  const Dim &last = graph.value(value).fact.shape->back(), &last_before = graph.value(x).fact.shape->back();
  if (is(*node, "Unsqueeze") || is(*node, "Squeeze")) return last == last_before && last != Dim(1) && again(x);
  if (is(*node, "Expand")) return last == last_before && again(x);
  if (is(*node, "Gather")) {
    const int64_t axis = node->attributes.get_int("axis", 0);
    return before >= 2 && axis >= 0 && axis < before - 1 && again(x);
  }
  if (is(*node, "Transpose"))
    return ops::attributes::permutation(node->attributes, rank).back() == rank - 1 && again(x);
  return false;
}

struct Half {
  ValueId whole = ir::kNone;
  int which = 0;
};

// Which half of the last axis of another value this one is: cut by a Slice, or by a Split.
std::optional<Half> half_of(const Graph& graph, ValueId value) {
  const Node* node = producer(graph, value);
  if (node == nullptr || !(is(*node, "Slice") || is(*node, "Split"))) return std::nullopt;
  const ir::Fact &whole = graph.value(node->inputs[0]).fact, &part = graph.value(value).fact;
  if (whole.rank() < 1 || part.rank() != whole.rank() || !whole.shape->back().is_constant()) return std::nullopt;
  const int64_t size = whole.shape->back().value(), last = whole.rank() - 1;
  if (size % 2 != 0 || part.shape->back() != Dim(size / 2)) return std::nullopt;
  if (is(*node, "Split")) {
    if (!along_last(graph, *node, 0) || node->outputs.size() != 2) return std::nullopt;
    return Half{node->inputs[0], value == node->outputs[0] ? 0 : 1};
  }
  const auto starts = integers(graph, input(*node, 1)), axes = integers(graph, input(*node, 3));
  const auto steps = input(*node, 4) == ir::kNone ? std::vector<int64_t>{1} : integers(graph, node->inputs[4]);
  if (!starts || !axes || !steps || starts->size() != 1 || axes->size() != 1 || *steps != std::vector<int64_t>{1} ||
      (axes->front() != -1 && axes->front() != last))
    return std::nullopt;
  const int64_t start = starts->front() < 0 ? starts->front() + size : starts->front();
  if (start != 0 && start != size / 2) return std::nullopt;
  return Half{node->inputs[0], start == 0 ? 0 : 1};
}

// The value that `turned` turns by a quarter: concat(-x2, x1). Its nodes but the cuts join `nodes`.
ValueId quarter_turn_of(const Graph& graph, ValueId turned, std::vector<ir::NodeId>& nodes) {
  const Node* concat = made_by(graph, turned, "Concat");
  if (concat == nullptr || concat->inputs.size() != 2 || !read_once(graph, turned) || !along_last(graph, *concat, 0))
    return ir::kNone;
  const Node* negated = made_by(graph, concat->inputs[0], "Neg");
  if (negated == nullptr || !read_once(graph, concat->inputs[0])) return ir::kNone;
  const auto second = half_of(graph, negated->inputs[0]), first = half_of(graph, concat->inputs[1]);
  if (!first || !second || first->whole != second->whole || first->which != 0 || second->which != 1) return ir::kNone;
  nodes.push_back(concat->id);
  nodes.push_back(negated->id);
  return first->whole;
}

// [batch or 1, length, head / 2] of factors that broadcast to `x`, [batch, heads, length, head], and do not depend on the head; kNone.
class Cache {
 public:
  Cache(const PassContext& context, ir::Patch& patch, ValueId x) : context_(context), patch_(patch), x_(x) {}

  bool fits(ValueId factors) const {
    const ir::Shape& x = *graph().value(x_).fact.shape;
    const auto& shape = graph().value(factors).fact.shape;
    if (!shape || shape->size() < 2 || shape->size() > 4 || shape->back() != x[3] ||
        (*shape)[shape->size() - 2] != x[2])
      return false;
    if (shape->size() > 2 && (*shape)[shape->size() - 3] != Dim(1)) return false;
    return shape->size() < 4 || shape->front() == Dim(1) || shape->front() == x[0];
  }

  ValueId make(ValueId factors) {
    const ir::Shape &x = *graph().value(x_).fact.shape, &shape = *graph().value(factors).fact.shape;
    const auto rank = static_cast<int64_t>(shape.size());
    ValueId half = emit("Slice", {factors, ints({0}), ints({x[3].value() / 2}), ints({rank - 1}), ints({1})});
    if (rank == 2) half = emit("Unsqueeze", {half, ints({0})});
    if (rank == 4) half = emit("Squeeze", {half, ints({1})});
    if (rank == 4 && shape.front() == x[0]) return half;
    if (x[0] == Dim(1)) return half;
    const ValueId batch = emit("Shape", {x_}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
    return emit("Expand", {half, emit("Concat", {batch, ints({1, 1})}, {{"axis", int64_t{0}}})});
  }

 private:
  const Graph& graph() const { return context_.graph; }
  ValueId ints(std::vector<int64_t> values) { return patch_.constant(base::Tensor::vector<int64_t>(values)); }
  ValueId emit(const char* op, std::vector<ValueId> inputs, ir::Attributes attributes = {}) {
    return patch_.emit(context_.table.find("", op), std::move(inputs), std::move(attributes));
  }

  const PassContext& context_;
  ir::Patch& patch_;
  ValueId x_;
};

bool is_rotated_type(ir::DType type) {
  return type == ir::DType::kFloat32 || type == ir::DType::kFloat16 || type == ir::DType::kBfloat16;
}

}  // namespace

MatchResult match_fuse_rotary_embedding(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& root = graph.node(id);
  if (!is(root, "Add") || graph.value(root.outputs[0]).fact.rank() != 4) return MatchResult::none("no sum of heads");
  const Node* parts[] = {made_by(graph, root.inputs[0], "Mul"), made_by(graph, root.inputs[1], "Mul")};
  if (parts[0] == nullptr || parts[1] == nullptr || !read_once(graph, root.inputs[0]) ||
      !read_once(graph, root.inputs[1]))
    return MatchResult::none("not of two products");
  for (size_t straight = 0; straight < 2; ++straight)
    for (const ValueId turned : parts[1 - straight]->inputs) {
      std::vector<ir::NodeId> nodes{id, parts[0]->id, parts[1]->id};
      const ValueId x = quarter_turn_of(graph, turned, nodes);
      if (x == ir::kNone) continue;
      const ValueId cos = other_input(*parts[straight], x), sin = other_input(*parts[1 - straight], turned);
      const ir::Fact& fact = graph.value(x).fact;
      if (cos == ir::kNone || sin == ir::kNone || !is_rotated_type(fact.dtype) ||
          !same_type_and_shape(fact, graph.value(root.outputs[0]).fact))
        continue;
      ir::Patch patch(graph, "fuse RotaryEmbedding");
      Cache cache(context, patch, x);
      if (!cache.fits(cos) || !cache.fits(sin) || !repeats(graph, cos, kDepth) || !repeats(graph, sin, kDepth))
        continue;
      const ValueId cosines = cache.make(cos), sines = cache.make(sin);
      patch.replace(root.outputs[0],
                    patch.emit(context.table.find("", "RotaryEmbedding"), {x, cosines, sines}, {}, root.name));
      for (const ir::NodeId node : nodes) patch.remove(node);
      return patch;
    }
  return MatchResult::none("no turn of pairs");
}

}  // namespace onnxrun::optimize
