// FlexAttention: attention whose scores and probabilities pass through subgraphs (ai.onnx.preview, opset 1); runs as what it stands for.
#include <cmath>
#include <map>

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

// The nodes of a body of one input and one output, emitted on `input`. kNone when they cannot be (nested bodies).
ValueId apply_body(Expansion& e, const ir::Graph& body, ValueId input) {
  if (body.inputs().size() != 1 || body.outputs().size() != 1)
    e.fail("a modifier of FlexAttention must have one input and one output");
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
    if (!node.bodies.empty()) return ir::kNone;
    std::vector<ValueId> inputs;
    for (ValueId inner : node.inputs) inputs.push_back(outside(inner));
    const auto results =
        e.emit_many(node.op->name, std::move(inputs), node.outputs.size(), node.attributes, node.op->domain);
    for (size_t i = 0; i < results.size(); ++i)
      if (node.outputs[i] != ir::kNone) mapped.emplace(node.outputs[i], results[i]);
  }
  return outside(body.outputs()[0]);
}

bool has_nested_bodies(const ir::Graph* body) {
  if (body == nullptr) return false;
  for (ir::NodeId id : body->topological_order())
    if (!body->node(id).bodies.empty()) return true;
  return false;
}

// What it stands for in other operators; false where shapes or nested subgraphs do not let it be written.
bool expand_flex_attention(Expansion& e) {
  const ir::Graph *score_mod = e.source().body("score_mod"), *prob_mod = e.source().body("prob_mod");
  const auto &q = e.fact(e.input(0)).shape, &k = e.fact(e.input(1)).shape, &v = e.fact(e.input(2)).shape;
  if (!q || !k || !v || q->size() != 4 || k->size() != 4 || v->size() != 4 || has_nested_bodies(score_mod) ||
      has_nested_bodies(prob_mod))
    return false;
  const Dim q_heads = (*q)[1], kv_heads = (*k)[1], head = (*q)[3];
  if (!q_heads.is_constant() || !kv_heads.is_constant() || kv_heads.value() == 0 || !head.is_constant()) return false;
  const DType type = e.fact(e.input(0)).dtype;
  const int64_t given = e.attributes().get_int("softmax_precision", 0);
  const DType work = given != 0 ? static_cast<DType>(given) : type == DType::kFloat64 ? type : DType::kFloat32;
  const auto cast = [&](ValueId value, DType to) {
    return e.emit("Cast", {value}, {{"to", static_cast<int64_t>(to)}});
  };
  ValueId keys = cast(e.input(1), work), values = cast(e.input(2), work);
  // A key or value head is repeated for each query head of its group: [B, H, L, D] -> [B, H, 1, L, D] -> [B, H, G, L, D] -> [B, H*G, L, D].
  if (const int64_t group = q_heads.value() / kv_heads.value(); group > 1) {
    const auto repeat = [&](ValueId value) {
      const ValueId unit = e.emit("Unsqueeze", {value, e.int64s({2})});
      const ValueId many = e.emit("Expand", {unit, e.int64s({1, 1, group, 1, 1})});
      const ValueId tail = e.emit("Shape", {value}, {{"start", int64_t{2}}});
      const ValueId batch = e.emit("Shape", {value}, {{"end", int64_t{1}}});
      return e.emit("Reshape",
                    {many, e.emit("Concat", {batch, e.int64s({q_heads.value()}), tail}, {{"axis", int64_t{0}}})});
    };
    keys = repeat(keys);
    values = repeat(values);
  }
  const double scale = e.attributes().has("scale") ? static_cast<double>(e.attributes().get_float("scale", 0))
                                                   : 1.0 / std::sqrt(static_cast<double>(head.value()));
  const ValueId factor = cast(e.constant(base::Tensor::scalar<double>(scale)), work);
  const ValueId product = e.emit(
      "MatMul", {cast(e.input(0), work), e.emit("Transpose", {keys}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}})});
  ValueId scores = e.emit("Mul", {product, factor});
  if (score_mod != nullptr) scores = apply_body(e, *score_mod, scores);
  ValueId probabilities = e.emit("Softmax", {scores}, {{"axis", int64_t{-1}}});
  if (prob_mod != nullptr) probabilities = apply_body(e, *prob_mod, probabilities);
  e.bind(0, cast(e.emit("MatMul", {probabilities, values}), type));
  return true;
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
             .lift = [](Expansion& e, int) {
               if (!expand_flex_attention(e)) e.keep();
             }});
}

}  // namespace onnxrun::ops
