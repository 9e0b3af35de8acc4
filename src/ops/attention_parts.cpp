// What the lifts of ONNX Runtime's attention operators share.
#include "ops/attention_parts.h"

namespace onnxrun::ops {

using ir::DType;
using ir::ValueId;

namespace {

// Whether each key lies between its batch entry's start and end.
ValueId within_ends(Emitter& emit, ValueId mask, ValueId batch, ValueId keys) {
  const ValueId numbers = emit.cast(mask, DType::kInt64);
  const ValueId zeros = emit.op("Expand", {emit.int64s({0}), batch});
  const ValueId twice = emit.add(batch, batch);
  const ValueId padded = emit.concat({numbers, zeros}, 0);
  // Only a vector of twice the batch size has starts; other lengths begin with the ends.
  const ValueId second = emit.slice(padded, 0, batch, twice);
  const ValueId starts = emit.where(emit.op("Equal", {emit.shape(mask), twice}), second, emit.int64(0));
  const ValueId ends = emit.slice(numbers, 0, emit.int64s({0}), batch);
  const ValueId at = emit.count_up(keys);
  return emit.op("And", {emit.op("Less", {at, emit.unsqueeze(ends, {1})}),
                         emit.op("GreaterOrEqual", {at, emit.unsqueeze(starts, {1})})});
}

}  // namespace

ValueId mask_as_bias(Emitter& emit, ValueId mask, ValueId batch, ValueId keys, float filter) {
  const int64_t rank = emit.rank(mask, "the mask");
  if (rank < 1 || rank > 3)
    emit.e.fail("a mask of shape {} is not supported: it must have rank 1, 2 or 3", emit.e.fact(mask).to_string());
  const ValueId counts =
      rank == 1 ? within_ends(emit, mask, batch, keys) : emit.op("Greater", {mask, emit.like(0, mask)});
  const ValueId bias = emit.where(counts, emit.number(0, DType::kFloat32), emit.number(filter, DType::kFloat32));
  return emit.unsqueeze(bias, rank == 3 ? Emitter::Ints{1} : Emitter::Ints{1, 2});
}

ValueId add_biases(Emitter& emit, ValueId a, ValueId b) {
  if (a == ir::kNone) return b == ir::kNone ? b : emit.wide(b);
  return b == ir::kNone ? emit.wide(a) : emit.add(emit.wide(a), emit.wide(b));
}

ValueId split_heads(Emitter& emit, ValueId x, int64_t heads) {
  return emit.transpose(emit.reshape(x, {0, 0, heads, -1}), {0, 2, 1, 3});
}
ValueId merge_heads(Emitter& emit, ValueId x) { return emit.reshape(emit.transpose(x, {0, 2, 1, 3}), {0, 0, -1}); }

AttentionResult emit_attention(Emitter& emit, const AttentionCall& call) {
  ir::Attributes attributes = {{"is_causal", int64_t{call.causal}}};
  if (call.scale != 0) attributes.set("scale", call.scale);
  const bool merged = emit.rank(call.q, "query") == 3;
  if (merged) {
    attributes.set("q_num_heads", call.heads);
    attributes.set("kv_num_heads", call.heads);
  }
  if (call.scores >= 0) attributes.set("qk_matmul_output_mode", call.scores);
  const size_t outputs = call.scores >= 0 ? 4 : call.present ? 3 : 1;
  const auto results = emit.e.emit_many(
      "Attention", {call.q, call.k, call.v, call.bias, call.past_key, call.past_value, call.valid_keys}, outputs,
      std::move(attributes));
  AttentionResult result;
  result.y = merged ? results[0] : merge_heads(emit, results[0]);
  if (outputs > 1) {
    result.present_key = results[1];
    result.present_value = results[2];
  }
  if (outputs > 3) result.scores = results[3];
  return result;
}

void finish_self_attention(Emitter& emit, const std::vector<ValueId>& projected, ValueId x, ValueId mask, ValueId past,
                           ValueId bias) {
  ir::Expansion& e = emit.e;
  AttentionCall call;
  call.heads = e.attributes().get_int("num_heads", 0);
  if (call.heads < 1) e.fail("attribute 'num_heads' must be positive, got {}", call.heads);
  call.q = projected[0];
  call.k = projected[1];
  call.v = projected[2];
  call.scale = e.attributes().get_float("scale", 0);
  call.causal = e.attributes().get_int("unidirectional", 0) != 0;
  call.present = e.has_output(1);
  ValueId keys = emit.dim(x, 1);
  if (past != ir::kNone) {
    call.past_key = emit.pick(past, 0, 0);
    call.past_value = emit.pick(past, 0, 1);
    keys = emit.add(keys, emit.dim(past, 3));
  }
  if (mask != ir::kNone)
    mask = mask_as_bias(emit, mask, emit.dim(x, 0), keys, e.attributes().get_float("mask_filter_value", -10000.0f));
  call.bias = add_biases(emit, mask, bias);
  const AttentionResult result = emit_attention(emit, call);
  e.bind(0, result.y);
  if (e.has_output(1))
    e.bind(1, emit.concat({emit.unsqueeze(result.present_key, {0}), emit.unsqueeze(result.present_value, {0})}, 0));
}

}  // namespace onnxrun::ops
