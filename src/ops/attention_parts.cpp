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

}  // namespace onnxrun::ops
