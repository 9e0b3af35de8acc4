// com.microsoft.GroupQueryAttention: attention of groups of query heads over a cache that each run extends, with rotary positions.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/grouped_attention.h"
#include "ops/grouped_inputs.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::InferContext;
using ir::Shape;

using enum ops::attributes::GroupedInput;

// Checks what turns or scales queries and keys of `head` elements.
void check_head_inputs(InferContext& c, const Dim& head, const Dim& heads) {
  check_rotary_caches(c, kCos, kSin, head);
  if (const Shape* sink = ranked_input(c, kSink, "head_sink", 1))
    unify(c, (*sink)[0], heads, "the size of 'head_sink' and num_heads");
  if (c.has_input(kQueryNorm) != c.has_input(kKeyNorm))
    c.fail("'q_norm_weight' and 'k_norm_weight' must be given together");
  for (size_t i : {kQueryNorm, kKeyNorm})
    if (const Shape* weight = ranked_input(c, i, i == kQueryNorm ? "q_norm_weight" : "k_norm_weight", 1))
      unify(c, (*weight)[0], head, "the size of a norm's weight and of a head");
}

void check_bias(InferContext& c, const Dim& batch, const Dim& heads, const Dim& length, const Dim& total) {
  const Shape* bias = ranked_input(c, kBias, "attention_bias", 4);
  if (bias == nullptr) return;
  const Dim wanted[] = {batch, heads, length, total};
  for (size_t d = 0; d < 4; ++d) {
    const Dim& have = (*bias)[d];
    if (!have.is_constant() || !wanted[d].is_constant() || have == wanted[d] || (d < 2 && have.value() == 1)) continue;
    c.fail("'attention_bias' {} does not broadcast to [{},{},{},{}]", c.input(kBias).to_string(), batch.to_string(),
           heads.to_string(), length.to_string(), total.to_string());
  }
}

void infer_grouped(InferContext& c) {
  const auto a = attributes::read_grouped_attention(c.attributes());
  const DType cache = c.has_input(kPastKey) ? c.dtype(kPastKey) : c.dtype(kQuery);
  c.set(0, c.dtype(kQuery));
  c.set(1, cache);
  c.set(2, cache);
  c.set(3, c.dtype(kQuery));
  if (c.has_input(kPastKey) != c.has_input(kPastValue)) c.fail("'past_key' and 'past_value' must be given together");
  if (a.rotary && !c.has_input(kCos)) c.fail("do_rotary needs 'cos_cache' and 'sin_cache'");
  if (a.sliding_cache && !c.has_input(kPastKey)) c.fail("sliding_window_cache needs 'past_key' and 'past_value'");
  if (a.quantized() && (!c.has_input(kPastKey) || !c.has_input(kKeyScale) || !c.has_input(kValueScale)))
    c.fail("k_quant_type and v_quant_type need 'past_key', 'past_value', 'k_scale' and 'v_scale'");
  if (c.has_input(kPastKey) && cache != DType::kNone &&
      a.quantized() != (cache == DType::kInt8 || cache == DType::kUint8))
    c.fail("caches of {} do not go with k_quant_type and v_quant_type {}", base::dtype_name(cache),
           a.quantized() ? "that are not NONE" : "NONE");
  const auto sources = read_grouped_sources(c, a.heads, a.kv_heads);
  if (!sources) return;
  const auto& [batch, length, head] = *sources;
  const Dim heads = a.heads;
  if (const Shape* given = c.shape(kTotal))
    unify(c, ir::element_count(*given), 1, "the size of 'total_sequence_length' and one");
  const auto elements = c.elements(kTotal);
  if (elements && elements->size() != 1)
    c.fail("'total_sequence_length' must have one element, got {}", c.input(kTotal).to_string());
  const Dim total = elements ? checked_dim(c, elements->front(), "'total_sequence_length'") : Dim();
  Dim stored = a.quantized() && a.bits == 4 ? ceil_div(head, 2) : head, capacity = total;
  for (size_t i : {kPastKey, kPastValue}) {
    const Shape* past = ranked_input(c, i, i == kPastKey ? "past_key" : "past_value", 4);
    if (c.has_input(i)) capacity = Dim();
    if (past == nullptr) continue;
    unify(c, batch, (*past)[0], "the batch sizes of 'query' and the past");
    unify(c, a.kv_heads, (*past)[1], "kv_num_heads and the heads of the past");
    stored = unify(c, stored, (*past)[3], "the head size and the last dim of the past");
    capacity =
        a.sliding_cache || (total.is_constant() && (*past)[2].is_constant() && total.value() <= (*past)[2].value())
            ? (*past)[2]
            : max((*past)[2], total);
  }
  if (c.shape(kPastKey) != nullptr && c.shape(kPastValue) != nullptr)
    unify(c, (*c.shape(kPastKey))[2], (*c.shape(kPastValue))[2], "the room of 'past_key' and 'past_value'");
  if (a.sliding_cache && capacity.is_constant() && capacity.value() < a.window)
    c.fail("sliding_window_cache needs room for the window of {} keys, the caches hold {}", a.window, capacity.value());
  if (const Shape* lengths = c.shape(kLengths))
    unify(c, ir::element_count(*lengths), batch, "the size of 'seqlens_k' and the batch size");
  check_head_inputs(c, head, heads);
  check_bias(c, batch, heads, length, total);
  if (const Shape* positions = ranked_input(c, kPositions, "position_ids", 2)) {
    unify(c, (*positions)[0], batch, "the batch sizes of 'query' and 'position_ids'");
    unify(c, (*positions)[1], length, "the lengths of 'query' and 'position_ids'");
  }
  c.set(0, c.dtype(kQuery), Shape{batch, length, heads * head});
  for (size_t i : {1, 2}) c.set(i, cache, Shape{batch, a.kv_heads, capacity, stored});
  c.set(3, c.dtype(kQuery), Shape{batch, heads, length, total});
}

}  // namespace

void define_microsoft_group_query_attention(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "GroupQueryAttention",
       .versions = {1},
       .signature =
           {.inputs = "query:T, key?:T, value?:T, past_key?:C, past_value?:C, seqlens_k:int32, "
                      "total_sequence_length:int32, cos_cache?:T, "
                      "sin_cache?:T, position_ids?:int64, attention_bias?:T, head_sink?:T, k_scale?:float32, "
                      "v_scale?:float32, "
                      "q_norm_weight?:T, k_norm_weight?:T",
            .outputs = "output:T, present_key?:C, present_value?:C, output_qk?:T",
            .types = "T: float32 float16 bfloat16 | C: float32 float16 bfloat16 int8 uint8",
            .attributes =
                "causal:int, do_rotary:int, k_quant_type:string, kv_cache_bit_width:int, kv_num_heads:int!, "
                "local_window_size:int, num_heads:int!, qk_norm_epsilon:float, qk_output:int, rotary_interleaved:int, "
                "scale:float, sliding_window_cache:int, smooth_softmax:int, softcap:float, v_quant_type:string"},
       .infer = infer_grouped});
}

}  // namespace onnxrun::ops
