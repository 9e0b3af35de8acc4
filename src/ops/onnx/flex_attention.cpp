// FlexAttention: attention whose scores and probabilities pass through subgraphs (ai.onnx.preview, opset 1); runs as what it stands for.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::Expansion;
using ir::InferContext;
using ir::Shape;
using ir::ValueId;

void infer_flex_attention(InferContext& c) {
  const char* const names[] = {"Q", "K", "V"};
  for (size_t i = 0; i < 3; ++i)
    if (c.rank(i) >= 0 && c.rank(i) != 4) c.fail("'{}' must have rank 4, got {}", names[i], c.input(i).to_string());
  c.set(0, c.dtype(0));
  if (c.shape(0) == nullptr || c.shape(1) == nullptr || c.shape(2) == nullptr) return;
  const Shape &q = *c.shape(0), &k = *c.shape(1), &v = *c.shape(2);
  unify(c, q[0], k[0], "the batch sizes of 'Q' and 'K'");
  unify(c, k[0], v[0], "the batch sizes of 'K' and 'V'");
  unify(c, k[1], v[1], "the heads of 'K' and 'V'");
  unify(c, k[2], v[2], "the lengths of 'K' and 'V'");
  unify(c, q[3], k[3], "the head sizes of 'Q' and 'K'");
  if (q[1].is_constant() && k[1].is_constant() && (k[1].value() == 0 || q[1].value() % k[1].value() != 0))
    c.fail("the {} heads of 'Q' are no multiple of the {} heads of 'K'", q[1].value(), k[1].value());
  c.set(0, c.dtype(0), Shape{q[0], q[1], q[2], v[3]});
}

// The nodes of a body of one input and one output, emitted on `input`.
ValueId copy_body(Expansion& e, const ir::Graph& body, ValueId input) {
  std::map<ValueId, ValueId> mapped = {{body.inputs()[0], input}};
  const auto outside = [&](ValueId inner) {
    if (inner == ir::kNone) return ir::kNone;
    if (const auto found = mapped.find(inner); found != mapped.end()) return found->second;
    const ir::Value& value = body.value(inner);
    const ValueId outer = value.outer != ir::kNone ? value.outer : e.constant(value.fact.constant);
    mapped.emplace(inner, outer);
    return outer;
  };
  for (ir::NodeId id : body.topological_order()) {
    const ir::Node& node = body.node(id);
    std::vector<ValueId> inputs;
    for (ValueId inner : node.inputs) inputs.push_back(outside(inner));
    const auto results =
        e.emit_many(node.op->name, std::move(inputs), node.outputs.size(), node.attributes, node.op->domain);
    for (size_t i = 0; i < results.size(); ++i)
      if (node.outputs[i] != ir::kNone) mapped.emplace(node.outputs[i], results[i]);
  }
  return outside(body.outputs()[0]);
}

bool has_nested_bodies(const ir::Graph& body) {
  for (ir::NodeId id : body.topological_order())
    if (!body.node(id).bodies.empty()) return true;
  return false;
}

// A body with bodies of its own stays whole, as that of a Scan of one step.
ValueId scan_once(Expansion& e, std::unique_ptr<ir::Graph> body, ValueId input) {
  const ValueId result = e.graph().add_value(e.graph().fresh_name("Scan"));
  ir::Node kept = std::move(e.source());
  ir::Node scan;
  scan.op = kept.op;
  scan.origin = kept.origin;
  scan.inputs = {input};
  scan.outputs = {result};
  scan.attributes.set("num_scan_inputs", int64_t{1});
  scan.bodies.push_back({"body", std::move(body)});
  e.source() = std::move(scan);
  e.become("", "Scan");
  e.keep();
  e.source() = std::move(kept);
  return result;
}

// What the source's body `name`, if there is one, makes of `input`.
ValueId modified(Expansion& e, std::string_view name, ValueId input) {
  auto& bodies = e.source().bodies;
  const auto found =
      std::find_if(bodies.begin(), bodies.end(), [&](const ir::Body& body) { return body.name == name; });
  if (found == bodies.end()) return input;
  if (found->graph->inputs().size() != 1 || found->graph->outputs().size() != 1)
    e.fail("a modifier of FlexAttention must have one input and one output");
  if (!has_nested_bodies(*found->graph)) return copy_body(e, *found->graph, input);
  const ValueId axis = e.int64s({0});
  const ValueId steps = scan_once(e, std::move(found->graph), e.emit("Unsqueeze", {input, axis}));
  return e.emit("Squeeze", {steps, axis});
}

// Element `axis` of the shape of `value`, as a vector of one.
ValueId size_of(Expansion& e, ValueId value, int64_t axis) {
  return e.emit("Shape", {value}, {{"start", axis}, {"end", axis + 1}});
}

// [B, H, L, D] -> [B, H * group, L, D]: each head is repeated for the query heads of its group.
ValueId repeat_heads(Expansion& e, ValueId value, ValueId group, ValueId heads) {
  const ValueId one = e.int64s({1});
  const auto joined = [&](std::vector<ValueId> parts) {
    return e.emit("Concat", std::move(parts), {{"axis", int64_t{0}}});
  };
  const ValueId many =
      e.emit("Expand", {e.emit("Unsqueeze", {value, e.int64s({2})}), joined({one, one, group, one, one})});
  return e.emit("Reshape", {many, joined({size_of(e, value, 0), heads, size_of(e, value, 2), size_of(e, value, 3)})});
}

void lift_flex_attention(Expansion& e, int) {
  const auto known = [&](size_t input, size_t axis) -> std::optional<int64_t> {
    const auto& shape = e.fact(e.input(input)).shape;
    if (!shape || shape->size() <= axis || !(*shape)[axis].is_constant()) return std::nullopt;
    return (*shape)[axis].value();
  };
  const std::optional<int64_t> q_heads = known(0, 1), kv_heads = known(1, 1), size = known(0, 3);
  for (size_t i = 0; i < 3; ++i)
    if (const auto& shape = e.fact(e.input(i)).shape; shape && shape->size() != 4)
      e.fail("input {} of FlexAttention must have rank 4, got {}", i, shape->size());
  if (q_heads && kv_heads && (*kv_heads == 0 || *q_heads % *kv_heads != 0))
    e.fail("the {} heads of 'Q' are no multiple of the {} heads of 'K'", *q_heads, *kv_heads);
  const DType type = e.fact(e.input(0)).dtype;
  const int64_t given = e.attributes().get_int("softmax_precision", 0);
  const DType work = given != 0 ? static_cast<DType>(given) : type == DType::kFloat64 ? type : DType::kFloat32;
  const auto cast = [&](ValueId value, DType to) {
    return e.emit("Cast", {value}, {{"to", static_cast<int64_t>(to)}});
  };
  ValueId keys = cast(e.input(1), work), values = cast(e.input(2), work);
  if (!q_heads || !kv_heads || *q_heads != *kv_heads) {
    const ValueId heads = q_heads ? e.int64s({*q_heads}) : size_of(e, e.input(0), 1);
    const ValueId group =
        q_heads && kv_heads ? e.int64s({*q_heads / *kv_heads}) : e.emit("Div", {heads, size_of(e, e.input(1), 1)});
    keys = repeat_heads(e, keys, group, heads);
    values = repeat_heads(e, values, group, heads);
  }
  ValueId factor = ir::kNone;
  if (size || e.attributes().has("scale")) {
    const double scale = e.attributes().has("scale") ? static_cast<double>(e.attributes().get_float("scale", 0))
                                                     : 1.0 / std::sqrt(static_cast<double>(*size));
    factor = cast(e.constant(base::Tensor::scalar<double>(scale)), work);
  } else {
    const ValueId root = e.emit("Sqrt", {cast(size_of(e, e.input(0), 3), DType::kFloat64)});
    factor = cast(e.emit("Reciprocal", {root}), work);
  }
  const ValueId product = e.emit(
      "MatMul", {cast(e.input(0), work), e.emit("Transpose", {keys}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}})});
  const ValueId scores = modified(e, "score_mod", e.emit("Mul", {product, factor}));
  const ValueId shares = modified(e, "prob_mod", e.emit("Softmax", {scores}, {{"axis", int64_t{-1}}}));
  e.bind(0, cast(e.emit("MatMul", {shares, values}), type));
}

}  // namespace

void define_onnx_flex_attention(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.preview",
             .name = "FlexAttention",
             .versions = {1},
             .signature = {.inputs = "Q:T1, K:T1, V:T1",
                           .outputs = "Y:T1",
                           .types = "T1: floats",
                           .attributes = "prob_mod:graph, scale:float, score_mod:graph, softmax_precision:int"},
             .infer = infer_flex_attention,
             .lift = lift_flex_attention});
}

}  // namespace onnxrun::ops
