// com.microsoft.LinearAttention and CausalConvWithState: the forerunners of ONNX's operators of these names, with more query than value heads the other way
// round, spaced taps and channels last.
#include "base/checked.h"
#include "ir/op.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

void refuse_window(Expansion& e) {
  if (e.attributes().get_int("state_window", 0) != 0)
    base::fail(base::Code::kUnsupported, "{} with a state_window is not supported", e.source().op->full_name());
  e.attributes().erase("state_window");
}

// Where there are fewer query heads than value heads each query head is repeated for the value heads it serves.
void lift_linear_attention(Expansion& e, int) {
  Emitter emit(e);
  refuse_window(e);
  const int64_t q_heads = e.attributes().get_int("q_num_heads", 0),
                kv_heads = e.attributes().get_int("kv_num_heads", 0);
  if (q_heads > 0 && kv_heads > q_heads) {
    if (kv_heads % q_heads != 0)
      e.fail("kv_num_heads {} and q_num_heads {} must divide one another", kv_heads, q_heads);
    const ValueId heads = emit.reshape(e.input(0), {0, 0, q_heads, 1, -1});
    e.set_input(0, emit.reshape(emit.op("Expand", {heads, emit.int64s({1, 1, 1, kv_heads / q_heads, 1})}), {0, 0, -1}));
    e.attributes().set("q_num_heads", kv_heads);
  }
  e.become("", "LinearAttention");
  e.keep();
}

// [batch, length, channels…] as [batch, channels, length].
ValueId channels_first(Emitter& emit, ValueId x) { return emit.transpose(emit.reshape(x, {0, 0, -1}), {0, 2, 1}); }

// A convolution over the past and the input, and their end.
void lift_causal_conv(Expansion& e, int) {
  Emitter emit(e);
  refuse_window(e);
  const int64_t dilation = e.attributes().get_int("dilation", 1);
  const bool last = e.attributes().get_int("channels_last", 0) != 0;
  if (dilation < 1) e.fail("attribute 'dilation' must be positive, got {}", dilation);
  if (e.attributes().get_int("ndim", 1) != 1)
    base::fail(base::Code::kUnsupported, "com.microsoft.CausalConvWithState with ndim {} is not supported",
               e.attributes().get_int("ndim", 1));
  if (dilation == 1 && !last) {
    e.drop({"ndim", "dilation", "channels_last"});
    e.become("", "CausalConvWithState");
    return e.keep();
  }
  const auto weights = e.fact(e.input(1)).dims();
  if (!weights || weights->size() != 3)
    e.fail("'weight' must have a known shape of rank 3, it is {}", e.fact(e.input(1)).to_string());
  const int64_t carried = base::checked_mul((*weights)[2] - 1, dilation);
  const ValueId x = last ? channels_first(emit, e.input(0)) : e.input(0);
  const ValueId all = e.has_input(3) ? emit.concat({last ? channels_first(emit, e.input(3)) : e.input(3), x}, 2)
                                     : emit.op("Pad", {x, emit.int64s({0, 0, carried, 0, 0, 0})});
  ValueId y =
      emit.op("Conv", {emit.wide(all), emit.wide(e.input(1)), e.has_input(2) ? emit.wide(e.input(2)) : ir::kNone},
              {{"group", (*weights)[0]}, {"dilations", std::vector<int64_t>{dilation}}});
  const std::string activation = e.attributes().get_string("activation", "none");
  if (activation == "silu" || activation == "swish") y = emit.op("Swish", {y});
  else if (activation != "none") e.fail("attribute 'activation' must be none, silu or swish, got '{}'", activation);
  y = emit.cast_like(y, e.input(0));
  const ValueId total = emit.dim(all, 2);
  ValueId state = emit.slice(all, 2, emit.sub(total, emit.int64s({carried})), total);
  if (last) {
    const ValueId in = e.input(0), rest = emit.dims(in, 2, emit.rank(in, "input"));
    y = emit.op("Reshape", {emit.transpose(y, {0, 2, 1}), emit.shape(in)});
    state = emit.op(
        "Reshape", {emit.transpose(state, {0, 2, 1}), emit.concat({emit.dim(in, 0), emit.int64s({carried}), rest}, 0)});
  }
  e.bind(0, y);
  e.bind(1, state);
}

}  // namespace

void define_microsoft_linear_attention(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "LinearAttention",
             .versions = {1},
             .signature = {.inputs = "query:T, key:T, value:T, past_state?:S, decay?:T, beta?:T",
                           .outputs = "output:T, present_state:S",
                           .types = "T: float16 bfloat16 float32 | S: float16 bfloat16 float32",
                           .attributes = "chunk_size:int, kv_num_heads:int!, q_num_heads:int!, scale:float, "
                                         "state_window:int, update_rule:string"},
             .infer = infer_lifted,
             .lift = lift_linear_attention});
  table.add(
      {.domain = "com.microsoft",
       .name = "CausalConvWithState",
       .versions = {1},
       .signature = {.inputs = "input:T, weight:T, bias?:T, past_state?:T",
                     .outputs = "output:T, present_state:T",
                     .types = "T: float32 float16 bfloat16",
                     .attributes = "activation:string, channels_last:int, dilation:int, ndim:int, state_window:int"},
       .infer = infer_lifted,
       .lift = lift_causal_conv});
}

}  // namespace onnxrun::ops
