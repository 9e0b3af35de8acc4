// Makes one Attention of softmax(scale * Q K^T + mask) V. A row whose keys are all masked by -infinity gives zeros, as exporters guard for;
// without their guard the formula gives NaN.
#include <cmath>
#include <cstring>

#include "optimize/algebra.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

namespace {

using ir::Fact;
using ir::Graph;
using ir::Node;
using ir::ValueId;

// Any score that is added to a number as low is lost in rounding, so that to add it and to put it in the place of scores are the same.
constexpr double kHidden = -1e12;

// A number of a type of floats.
base::Tensor zero(ir::DType type) {
  base::Tensor result(type, {});
  std::memset(result.mutable_raw(), 0, result.bytes());
  return result;
}

// [batch, heads, rows, columns] in float32, or in a narrower type: what then is not rounded between is the more exact.
bool is_heads(const Graph& graph, ValueId value) {
  const Fact& fact = graph.value(value).fact;
  return widened_type(fact.dtype) == ir::DType::kFloat32 && fact.rank() == 4;
}

// A mask, or a choice, broadcasts to the scores without making them larger, and says something of each key: Attention takes keys beyond the end of a
// shorter one for masked.
bool fits(const Fact& mask, const Fact& scores) {
  return mask.rank() >= 2 && mask.rank() <= 4 && scores.rank() == 4 && mask.shape->back() == scores.shape->back();
}

// What multiplies Q with the rows of K, or with what a Transpose makes of them.
const Node* product_of(const Graph& graph, ValueId value, bool& turned) {
  const Node* node = made_by(graph, value, "MatMul");
  turned = node == nullptr;
  if (node != nullptr) return node;
  node = made_by(graph, value, "FusedMatMul", "com.microsoft");
  if (node == nullptr || node->attributes.get_int("transB", 0) == 0 || node->attributes.list().size() != 1)
    return nullptr;
  return node;
}

// The Softmax that makes `value`, which is read here only, or that Where(IsNaN(y), 0, y) guards; its nodes join `nodes`.
const Node* softmax_of(const Graph& graph, ValueId value, std::vector<ir::NodeId>& nodes) {
  if (!read_once(graph, value)) return nullptr;
  if (const Node* guard = made_by(graph, value, "Where")) {
    const Node* check = made_by(graph, guard->inputs[0], "IsNaN");
    value = guard->inputs[2];
    if (check == nullptr || !read_once(graph, guard->inputs[0]) || check->inputs[0] != value ||
        number(graph, guard->inputs[1]) != 0.0)
      return nullptr;
    if (graph.value(value).consumers.size() != 2 || graph.is_output(value)) return nullptr;
    nodes.push_back(guard->id);
    nodes.push_back(check->id);
  }
  const Node* softmax = made_by(graph, value, "Softmax");
  if (softmax != nullptr) nodes.push_back(softmax->id);
  return softmax;
}

}  // namespace

MatchResult match_fuse_attention(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& root = graph.node(id);
  if (!is(root, "MatMul") || !is_heads(graph, root.outputs[0])) return MatchResult::none("no product of heads");
  std::vector<ir::NodeId> nodes{id};
  const Node* softmax = softmax_of(graph, root.inputs[0], nodes);
  if (softmax == nullptr) return MatchResult::none("not of a Softmax");
  const int64_t axis = softmax->attributes.get_int("axis", -1);
  if (axis != -1 && axis != 3) return MatchResult::none("not along the last axis");
  ValueId scores = softmax->inputs[0], mask = ir::kNone;
  if (!read_once(graph, scores)) return MatchResult::none("its scores are read elsewhere");
  bool turned = false;
  const auto is_product = [&](ValueId value) {
    const Product p = product(graph, value);
    return p.factors.size() == 1 && product_of(graph, p.factors[0], turned) != nullptr;
  };
  ir::Patch patch(graph, "fuse Attention");
  if (const Node* add = made_by(graph, scores, "Add")) {
    const size_t k = is_product(add->inputs[0]) ? 0 : 1;
    if (!is_product(add->inputs[k]) || !read_once(graph, add->inputs[k]))
      return MatchResult::none("the sum is of no product");
    mask = add->inputs[1 - k];
    if (!fits(graph.value(mask).fact, graph.value(scores).fact)) return MatchResult::none("a mask of another form");
    if (!same_type_and_shape(graph.value(add->inputs[k]).fact, graph.value(scores).fact))
      return MatchResult::none("a mask that may widen the scores");
    scores = add->inputs[k];
    nodes.push_back(add->id);
  } else if (const Node* where = made_by(graph, scores, "Where")) {
    const size_t k = is_product(where->inputs[1]) ? 1 : 2;
    const auto hidden = number(graph, where->inputs[3 - k]);
    if (!is_product(where->inputs[k]) || !read_once(graph, where->inputs[k]))
      return MatchResult::none("the choice is of no product");
    if (!hidden || !(std::isinf(*hidden) || graph.value(scores).fact.dtype == ir::DType::kFloat32) ||
        !(*hidden <= kHidden))
      return MatchResult::none("a choice that does not hide");
    const Fact &choice = graph.value(where->inputs[0]).fact, &all = graph.value(scores).fact;
    if (!fits(choice, all) || !same_type_and_shape(graph.value(where->inputs[k]).fact, all))
      return MatchResult::none("a choice of another form");
    std::vector<ValueId> chosen{where->inputs[0], where->inputs[1], where->inputs[2]};
    chosen[k] = patch.constant(zero(all.dtype), "zero");
    mask = patch.emit(where->op, std::move(chosen), {}, where->name);
    scores = where->inputs[k];
    nodes.push_back(where->id);
  }
  const Product scaled = product(graph, scores);
  if (scaled.factors.size() != 1 || !(scaled.number > 0)) return MatchResult::none("no scaled product");
  const Node* inner = product_of(graph, scaled.factors[0], turned);
  if (inner == nullptr || !read_once(graph, inner->outputs[0])) return MatchResult::none("no product of Q and K");
  nodes.insert(nodes.end(), scaled.nodes.begin(), scaled.nodes.end());
  nodes.push_back(inner->id);
  const ValueId v = root.inputs[1];
  ValueId q = inner->inputs[0], k = inner->inputs[1];
  double scale = scaled.number;
  // Exporters scale Q and K as well, each by a root.
  const auto unscale = [&](ValueId& value) {
    const Product p = product(graph, value);
    if (p.nodes.empty() || p.factors.size() != 1 || !read_once(graph, value) || !(p.number > 0)) return;
    if (!same_type_and_shape(graph.value(p.factors[0]).fact, graph.value(value).fact)) return;
    value = p.factors[0];
    scale *= p.number;
    nodes.insert(nodes.end(), p.nodes.begin(), p.nodes.end());
  };
  unscale(q);
  unscale(k);
  if (!is_heads(graph, q) || !is_heads(graph, k) || !is_heads(graph, v)) return MatchResult::none("not in heads");
  const auto dims = [&](ValueId value) -> const ir::Shape& { return *graph.value(value).fact.shape; };
  for (const size_t d : {0, 1})
    if (dims(q)[d] != dims(k)[d] || dims(q)[d] != dims(v)[d])
      return MatchResult::none("batch or heads that may broadcast");
  const ir::OpDef* attention = context.table.find("", "Attention");
  ValueId rows = k;
  if (!turned)
    rows = patch.emit(context.table.find("", "Transpose"), {k}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  std::vector<ValueId> inputs{q, rows, v};
  if (mask != ir::kNone) inputs.push_back(mask);
  patch.replace(root.outputs[0], patch.emit(attention, std::move(inputs), {{"scale", static_cast<float>(scale)}}));
  for (const ir::NodeId node : nodes) patch.remove(node);
  return patch;
}

}  // namespace onnxrun::optimize
