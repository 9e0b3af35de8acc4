// com.microsoft.MultiHeadAttention and DecoderMaskedMultiHeadAttention: ONNX's Attention with a bias of the projections, packed inputs, masks as ONNX
// Runtime writes them, and caches in buffers of full length that beams share.
#include <limits>

#include "ir/op.h"
#include "ops/attention_parts.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::Expansion;
using ir::ValueId;

// The inputs of either operator.
struct Inputs {
  ValueId query, key, value, bias, mask, score_bias, past_key, past_value, past_length, beam_width, indirection;
};

class Lift {
 public:
  Lift(Expansion& e, const Inputs& inputs) : e_(e), emit_(e), in_(inputs) {
    call_.heads = e.attributes().get_int("num_heads", 0);
    if (call_.heads < 1) e.fail("attribute 'num_heads' must be positive, got {}", call_.heads);
    call_.scale = e.attributes().get_float("scale", 0);
    call_.causal = e.attributes().get_int("unidirectional", 0) != 0;
    call_.q = in_.query;
    call_.k = in_.key;
    call_.v = in_.value;
    if (e.has_output(3)) call_.scores = 2;
    if ((in_.past_key == ir::kNone) != (in_.past_value == ir::kNone))
      e.fail("'past_key' and 'past_value' must be given together");
  }

  void run() {
    unpack();
    const bool cached = emit_.rank(call_.k, "key") == 4;
    add_projection_bias(cached);
    const ValueId queries = emit_.dim(call_.q, 1), batch = emit_.dim(call_.q, 0);
    ValueId keys = emit_.dim(call_.k, cached ? 2 : 1);
    if (in_.past_length != ir::kNone && in_.past_key != ir::kNone) keys = extend_buffers(batch, queries);
    else if (in_.past_key != ir::kNone) {
      keys = emit_.add(keys, emit_.dim(in_.past_key, 2));
      call_.past_key = in_.past_key;
      call_.past_value = in_.past_value;
    }
    const ValueId mask =
        in_.mask == ir::kNone
            ? in_.mask
            : mask_as_bias(emit_, in_.mask, batch, keys, e_.attributes().get_float("mask_filter_value", -10000.0f));
    call_.bias = add_biases(emit_, mask, in_.score_bias);
    if (call_.causal && !buffers_) limit_to_earlier_keys(queries, keys);
    if (cached || buffers_) call_.q = split_heads(emit_, call_.q, call_.heads);
    call_.present = !buffers_ && (e_.has_output(1) || e_.has_output(2));
    AttentionResult result = emit_attention(emit_, call_);
    if (buffers_) {
      result.present_key = present_key_;
      result.present_value = present_value_;
      if (e_.has_output(3)) result.scores = emit_.slice(result.scores, 3, emit_.int64s({0}), keys);
    }
    e_.bind(0, result.y);
    if (e_.has_output(1)) e_.bind(1, result.present_key);
    if (e_.has_output(2)) e_.bind(2, result.present_value);
    if (e_.has_output(3)) e_.bind(3, result.scores);
  }

 private:
  // Part `index` of inputs packed as [batch, length, heads, parts, size], with merged heads.
  ValueId part(ValueId packed, int64_t index) { return emit_.reshape(emit_.pick(packed, 3, index), {0, 0, -1}); }

  void unpack() {
    if (in_.key == ir::kNone) {
      if (emit_.rank(in_.query, "query") != 5)
        e_.fail("without 'key' the 'query' must be packed [batch, length, heads, 3, size], got {}",
                e_.fact(in_.query).to_string());
      call_.q = part(in_.query, 0);
      call_.k = part(in_.query, 1);
      call_.v = part(in_.query, 2);
    } else if (in_.value == ir::kNone) {
      if (emit_.rank(in_.key, "key") != 5)
        e_.fail("without 'value' the 'key' must be packed [batch, length, heads, 2, size], got {}",
                e_.fact(in_.key).to_string());
      call_.k = part(in_.key, 0);
      call_.v = part(in_.key, 1);
    }
    if (emit_.rank(call_.q, "query") != 3)
      e_.fail("'query' must have rank 3 or be packed, got {}", e_.fact(call_.q).to_string());
  }

  // The bias is [hidden, hidden, value's hidden]. Keys and values of rank 4 are a past that has had theirs.
  void add_projection_bias(bool cached) {
    if (in_.bias == ir::kNone) return;
    const ValueId hidden = emit_.dim(call_.q, 2), twice = emit_.add(hidden, hidden);
    call_.q = emit_.add(call_.q, emit_.slice(in_.bias, 0, emit_.int64s({0}), hidden));
    if (cached) return;
    call_.k = emit_.add(call_.k, emit_.slice(in_.bias, 0, hidden, twice));
    call_.v = emit_.add(call_.v, emit_.slice(in_.bias, 0, twice, emit_.shape(in_.bias)));
  }

  // The last query sees all keys, whatever `unidirectional` says, which matters where keys are not those of the queries.
  void limit_to_earlier_keys(ValueId queries, ValueId keys) {
    const auto dim_of = [&](ValueId x, size_t axis) {
      const ir::Fact& fact = e_.fact(x);
      if (!fact.shape) return ir::Dim();
      if (fact.shape->size() <= axis)
        e_.fail("'query' and 'key' must be of shape [batch, length, size], got {}", fact.to_string());
      return (*fact.shape)[axis];
    };
    if (dim_of(call_.q, 1) == dim_of(call_.k, emit_.rank(call_.k, "key") == 4 ? 2 : 1)) return;
    call_.causal = false;
    const ValueId past = in_.past_key == ir::kNone ? emit_.int64s({0}) : emit_.dim(in_.past_key, 2);
    const ValueId query = emit_.unsqueeze(emit_.count_up(queries), {1});
    const ValueId earlier = emit_.op("LessOrEqual", {emit_.count_up(keys), emit_.add(query, past)});
    const ValueId last = emit_.op("Equal", {query, emit_.sub(queries, emit_.int64s({1}))});
    const ValueId bias = emit_.where(emit_.op("Or", {earlier, last}), emit_.number(0, DType::kFloat32),
                                     emit_.number(-std::numeric_limits<double>::infinity(), DType::kFloat32));
    call_.bias = add_biases(emit_, call_.bias, bias);
  }

  // Writes keys and values into the buffers behind what is there, and attends to the buffers; returns how many keys count.
  ValueId extend_buffers(ValueId batch, ValueId queries) {
    buffers_ = true;
    const ValueId past = emit_.reshape(emit_.cast(in_.past_length, DType::kInt64), {1});
    const ValueId rows = emit_.op("Expand", {past, batch});
    const auto write = [&](ValueId buffer, ValueId fresh) {
      return emit_.op("TensorScatter", {buffer, split_heads(emit_, fresh, call_.heads), rows}, {{"axis", int64_t{2}}});
    };
    present_key_ = write(in_.past_key, call_.k);
    present_value_ = write(in_.past_value, call_.v);
    call_.k = present_key_;
    call_.v = present_value_;
    if (in_.indirection != ir::kNone) follow_beams(past);
    const ValueId keys = emit_.add(past, queries);
    call_.valid_keys = emit_.op("Expand", {keys, batch});
    return keys;
  }

  // Takes each past row of a beam from the beam that `cache_indirection` [batch, beams, length] names.
  void follow_beams(ValueId past) {
    const ValueId from = emit_.cast(in_.indirection, DType::kInt64), beams = emit_.dim(from, 1);
    const ValueId first = emit_.mul(emit_.unsqueeze(emit_.count_up(emit_.dim(from, 0)), {1, 2}), beams);
    const ValueId named = emit_.op(
        "Reshape",
        {emit_.add(from, first), emit_.concat({emit_.int64s({-1, 1}), emit_.dim(from, 2), emit_.int64s({1})}, 0)});
    const ValueId own = emit_.unsqueeze(emit_.count_up(emit_.dim(call_.k, 0)), {1, 2, 3});
    const ValueId is_past = emit_.unsqueeze(emit_.op("Less", {emit_.count_up(emit_.dim(from, 2)), past}), {1});
    const ValueId rows = emit_.where(is_past, named, own);
    const auto gather = [&](ValueId buffer) {
      return emit_.op("GatherElements", {buffer, emit_.op("Expand", {rows, emit_.shape(buffer)})},
                      {{"axis", int64_t{0}}});
    };
    call_.k = gather(call_.k);
    call_.v = gather(call_.v);
  }

  Expansion& e_;
  Emitter emit_;
  Inputs in_;
  AttentionCall call_;
  bool buffers_ = false;
  ValueId present_key_ = ir::kNone, present_value_ = ir::kNone;
};

void lift_multi_head(Expansion& e, int) {
  Lift(e, {.query = e.input(0),
           .key = e.input(1),
           .value = e.input(2),
           .bias = e.input(3),
           .mask = e.input(4),
           .score_bias = e.input(5),
           .past_key = e.input(6),
           .past_value = e.input(7),
           .past_length = e.input(8),
           .beam_width = ir::kNone,
           .indirection = e.input(9)})
      .run();
}

void lift_decoder_masked(Expansion& e, int) {
  Lift(e, {.query = e.input(0),
           .key = e.input(1),
           .value = e.input(2),
           .bias = e.input(10),
           .mask = e.input(3),
           .score_bias = e.input(4),
           .past_key = e.input(5),
           .past_value = e.input(6),
           .past_length = e.input(7),
           .beam_width = e.input(8),
           .indirection = e.input(9)})
      .run();
}

}  // namespace

void define_microsoft_multi_head_attention(ir::OpTable& table) {
  constexpr const char* kOutputs = "output:T, present_key?:T, present_value?:T, qk?:Q";
  table.add({.domain = "com.microsoft",
             .name = "MultiHeadAttention",
             .versions = {1},
             .signature = {.inputs = "query:T, key?:T, value?:T, bias?:T, key_padding_mask?:int32, attention_bias?:T, "
                                     "past_key?:T, past_value?:T, "
                                     "past_sequence_length?:int32, cache_indirection?:int32",
                           .outputs = kOutputs,
                           .types = "T: floats | Q: floats",
                           .attributes = "mask_filter_value:float, num_heads:int!, scale:float, unidirectional:int"},
             .infer = infer_lifted,
             .lift = lift_multi_head});
  table.add(
      {.domain = "com.microsoft",
       .name = "DecoderMaskedMultiHeadAttention",
       .versions = {1},
       .signature =
           {.inputs = "query:T, key?:T, value?:T, mask_index?:int32, attention_bias?:T, past_key?:T, past_value?:T, "
                      "past_sequence_length?:int32, beam_width?:int32, cache_indirection?:int32, bias?:T",
            .outputs = kOutputs,
            .types = "T: floats | Q: floats",
            .attributes =
                "mask_filter_value:float, num_heads:int!, output_qk:int, past_present_share_buffer:int, scale:float"},
       .infer = infer_lifted,
       .lift = lift_decoder_masked});
}

}  // namespace onnxrun::ops
