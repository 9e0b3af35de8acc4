// Attention: scaled dot products with masks, windows, grouped heads and a cache (ONNX, opset 25).
#include "ops/attributes/attention.h"

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// Batch, heads, length and head size of Q, K or V in either form.
struct Heads {
  Dim batch, heads, length, size;
};

std::optional<Heads> heads_of(InferContext& c, size_t i, std::string_view name, int64_t heads) {
  const Shape* shape = c.shape(i);
  if (shape == nullptr) return std::nullopt;
  if (shape->size() == 4) return Heads{(*shape)[0], (*shape)[1], (*shape)[2], (*shape)[3]};
  if (shape->size() != 3) c.fail("'{}' must have rank 3 or 4, got {}", name, c.input(i).to_string());
  if (heads <= 0) c.fail("'{}' of rank 3 needs the attributes q_num_heads and kv_num_heads", name);
  const Dim& hidden = (*shape)[2];
  if (hidden.is_constant() && hidden.value() % heads != 0)
    c.fail("the last dim of '{}', {}, is no multiple of its {} heads", name, hidden.value(), heads);
  return Heads{(*shape)[0], heads, (*shape)[1], exact_div(hidden, heads)};
}

void check_mask(InferContext& c, const Dim& batch, const Dim& heads, const Dim& length, const Dim& total) {
  const Shape* mask = c.shape(3);
  if (mask == nullptr) return;
  if (mask->empty() || mask->size() > 4) c.fail("'attn_mask' must have rank 1 to 4, got {}", c.input(3).to_string());
  const Dim wanted[] = {total, length, heads, batch};
  for (size_t d = 0; d < mask->size(); ++d) {
    const Dim& have = (*mask)[mask->size() - 1 - d];
    if (!have.is_constant() || !wanted[d].is_constant()) continue;
    const bool fits =
        d == 0 ? have.value() <= wanted[d].value() : have.value() == 1 || have.value() == wanted[d].value();
    if (!fits)
      c.fail("'attn_mask' {} does not broadcast to [{},{},{},{}]", c.input(3).to_string(), batch.to_string(),
             heads.to_string(), length.to_string(), total.to_string());
  }
}

void infer_attention(InferContext& c) {
  const auto attributes = attributes::read_attention(c.attributes());
  for (size_t i : {0, 1, 3}) c.set(i, c.dtype(0));
  c.set(2, c.dtype(2));
  if (c.has_input(4) != c.has_input(5)) c.fail("'past_key' and 'past_value' must be given together");
  if (c.has_input(6) && c.has_input(4)) c.fail("'nonpad_kv_seqlen' cannot be combined with 'past_key'");
  auto q = heads_of(c, 0, "Q", attributes.q_heads);
  const auto k = heads_of(c, 1, "K", attributes.kv_heads), v = heads_of(c, 2, "V", attributes.kv_heads);
  if (!q || !k || !v) return;
  if (c.rank(0) != c.rank(1) || c.rank(0) != c.rank(2)) c.fail("'Q', 'K' and 'V' must have one rank");
  const Dim batch = unify(c, unify(c, q->batch, k->batch, "the batch sizes of 'Q' and 'K'"), v->batch,
                          "the batch sizes of 'Q' and 'V'");
  const Dim kv_heads = unify(c, k->heads, v->heads, "the heads of 'K' and 'V'");
  const Dim head = unify(c, q->size, k->size, "the head sizes of 'Q' and 'K'");
  const Dim kv_length = unify(c, k->length, v->length, "the lengths of 'K' and 'V'");
  if (q->heads.is_constant() && kv_heads.is_constant() &&
      (kv_heads.value() == 0 ? q->heads.value() != 0 : q->heads.value() % kv_heads.value() != 0))
    c.fail("the {} heads of 'Q' are no multiple of the {} heads of 'K'", q->heads.value(), kv_heads.value());
  Dim past = 0;
  const char* const names[] = {"past_key", "past_value"};
  for (size_t i : {4, 5}) {
    if (!c.has_input(i)) continue;
    const Shape* shape = c.shape(i);
    if (i == 4) past = Dim();
    if (shape == nullptr) continue;
    if (shape->size() != 4) c.fail("'{}' must have rank 4, got {}", names[i - 4], c.input(i).to_string());
    unify(c, batch, (*shape)[0], "the batch sizes of 'Q' and the past");
    unify(c, kv_heads, (*shape)[1], "the heads of 'K' and the past");
    past = unify(c, past, (*shape)[2], "the lengths of 'past_key' and 'past_value'");
    unify(c, i == 4 ? head : v->size, (*shape)[3], "the head sizes of the past and its input");
  }
  if (const Shape* lengths = c.shape(6)) {
    if (lengths->size() != 1) c.fail("'nonpad_kv_seqlen' must have rank 1, got {}", c.input(6).to_string());
    unify(c, batch, lengths->front(), "the batch size of 'Q' and the size of 'nonpad_kv_seqlen'");
  }
  const Dim total = past + kv_length;
  check_mask(c, batch, q->heads, q->length, total);
  if (c.rank(0) == 4) c.set(0, c.dtype(0), Shape{batch, q->heads, q->length, v->size});
  else c.set(0, c.dtype(0), Shape{batch, q->length, q->heads * v->size});
  c.set(1, c.dtype(0), Shape{batch, kv_heads, total, head});
  c.set(2, c.dtype(2), Shape{batch, kv_heads, total, v->size});
  c.set(3, c.dtype(0), Shape{batch, q->heads, q->length, total});
}

}  // namespace

void define_onnx_attention(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "Attention",
       .versions = {23, 24, 25},
       .signature =
           {.inputs = "Q:T1, K:T1, V:T2, attn_mask?:U, past_key?:T1, past_value?:T2, nonpad_kv_seqlen?:int64",
            .outputs = "Y:T1, present_key?:T1, present_value?:T2, qk_matmul_output?:T1",
            .types = "T1: floats | T2: floats | U: numeric bool",
            .attributes =
                "is_causal:int, kv_num_heads:int, left_window_size:int, q_num_heads:int, qk_matmul_output_mode:int, "
                "right_window_size:int, scale:float, softcap:float, softmax_precision:int"},
       .infer = infer_attention});
}

}  // namespace onnxrun::ops
