// LinearAttention: a recurrent state of outer products of keys and values (ONNX, opset 27).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

Dim part(InferContext& c, const Dim& dim, int64_t heads, std::string_view name) {
  if (dim.is_constant() && dim.value() % heads != 0)
    c.fail("the last dim of '{}', {}, is no multiple of its {} heads", name, dim.value(), heads);
  return exact_div(dim, heads);
}

const Shape* rank3(InferContext& c, size_t i, std::string_view name) {
  const Shape* shape = c.shape(i);
  if (shape != nullptr && shape->size() != 3) c.fail("'{}' must have rank 3, got {}", name, c.input(i).to_string());
  return shape;
}

void infer_linear_attention(InferContext& c) {
  const int64_t q_heads = c.attributes().get_int("q_num_heads", 0),
                kv_heads = c.attributes().get_int("kv_num_heads", 0);
  if (q_heads < 1 || kv_heads < 1 || q_heads % kv_heads != 0)
    c.fail("q_num_heads {} must be a positive multiple of kv_num_heads {}", q_heads, kv_heads);
  const std::string rule = c.attributes().get_string("update_rule", "gated_delta");
  if (rule != "linear" && rule != "gated" && rule != "delta" && rule != "gated_delta")
    c.fail("update_rule must be linear, gated, delta or gated_delta, got '{}'", rule);
  const bool gated = rule == "gated" || rule == "gated_delta", delta = rule == "delta" || rule == "gated_delta";
  if (gated != c.has_input(4))
    c.fail("update_rule '{}' {} the input 'decay'", rule, gated ? "needs" : "has no use for");
  if (delta != c.has_input(5)) c.fail("update_rule '{}' {} the input 'beta'", rule, delta ? "needs" : "has no use for");
  Dim batch, length, d_k, d_v;
  const auto join = [&](const Shape* shape, std::string_view name) {
    if (shape == nullptr) return;
    batch = unify(c, batch, (*shape)[0], fmt::format("the batch sizes of '{}' and the other inputs", name));
    length = unify(c, length, (*shape)[1], fmt::format("the lengths of '{}' and the other inputs", name));
  };
  const Shape *q = rank3(c, 0, "query"), *k = rank3(c, 1, "key"), *v = rank3(c, 2, "value");
  join(q, "query");
  join(k, "key");
  join(v, "value");
  if (q != nullptr) d_k = part(c, q->back(), q_heads, "query");
  if (k != nullptr) d_k = unify(c, d_k, part(c, k->back(), kv_heads, "key"), "the head sizes of 'query' and 'key'");
  if (v != nullptr) d_v = part(c, v->back(), kv_heads, "value");
  const auto check_last = [&](size_t i, std::string_view name, const Dim& other) {
    const Shape* shape = rank3(c, i, name);
    join(shape, name);
    if (shape == nullptr || !shape->back().is_constant() || !other.is_constant()) return;
    const int64_t last = shape->back().value();
    if (last != kv_heads && last != other.value())
      c.fail("the last dim of '{}' must be {} or {}, got {}", name, kv_heads, other.value(), last);
  };
  check_last(4, "decay", Dim(kv_heads) * d_k);
  check_last(5, "beta", 1);
  if (const Shape* past = c.shape(3)) {
    if (past->size() != 4) c.fail("'past_state' must have rank 4, got {}", c.input(3).to_string());
    const Dim wanted[] = {batch, kv_heads, d_k, d_v};
    for (size_t i = 0; i < 4; ++i)
      unify(c, wanted[i], (*past)[i], fmt::format("dim {} of 'past_state' and what the other inputs give", i));
  }
  c.set(0, c.dtype(0), Shape{batch, length, Dim(q_heads) * d_v});
  c.set(1, c.has_input(3) ? c.dtype(3) : c.dtype(0), Shape{batch, kv_heads, d_k, d_v});
}

}  // namespace

void define_onnx_linear_attention(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "LinearAttention",
             .versions = {27},
             .signature = {.inputs = "query:T, key:T, value:T, past_state?:S, decay?:T, beta?:T",
                           .outputs = "output:T, present_state:S",
                           .types = "T: float16 bfloat16 float32 | S: float16 bfloat16 float32",
                           .attributes =
                               "chunk_size:int, kv_num_heads:int!, q_num_heads:int!, scale:float, update_rule:string"},
             .infer = infer_linear_attention});
}

}  // namespace onnxrun::ops
