// com.microsoft's gates of linear attention, Engram and hyper-connections: GatedAdd, LinearAttentionGate, GatedRMSNorm, BranchwiseRMSNorm, EngramGate,
// HyperConnectionPreMix and HyperConnectionPostMix. All but GatedAdd compute in float32 and round once.
#include <algorithm>

#include "ir/op.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::Expansion;
using ir::ValueId;

void lift_gated_add(Expansion& e, int) {
  Emitter emit(e);
  e.finish("Add", {e.input(0), emit.mul(e.input(1), e.input(2))});
}

// decay_scale * softplus(a + dt_bias), and the sigmoid of b.
void lift_linear_gate(Expansion& e, int) {
  Emitter emit(e);
  const ValueId a = e.input(0);
  const ValueId decay = emit.mul(emit.op("Softplus", {emit.add(emit.wide(a), e.input(1))}), e.input(2));
  e.bind(0, emit.cast_like(decay, a));
  if (!e.has_output(1)) return;
  if (!e.has_input(3)) e.fail("the output 'beta' needs the input 'b'");
  e.bind(1, emit.cast_like(emit.op("Sigmoid", {emit.wide(e.input(3))}), a));
}

ValueId rms(Emitter& emit, ValueId x, float epsilon) {
  const ValueId mean = emit.op("ReduceMean", {emit.mul(x, x), emit.int64s({-1})});
  return emit.div(x, emit.op("Sqrt", {emit.add(mean, emit.number(epsilon, DType::kFloat32))}));
}

// Rows of as many elements as the scale has.
void lift_gated_rms(Expansion& e, int) {
  Emitter emit(e);
  const std::string kind = e.attributes().get_string("activation", "silu");
  if (kind != "silu" && kind != "swish" && kind != "sigmoid")
    e.fail("attribute 'activation' must be silu, swish or sigmoid, got '{}'", kind);
  const ValueId x = emit.wide(e.input(0)), gate = emit.wide(e.input(2));
  const ValueId groups = emit.op("Reshape", {x, emit.concat({emit.int64s({-1}), emit.shape(e.input(1))}, 0)});
  const ValueId scaled = emit.mul(rms(emit, groups, e.attributes().get_float("epsilon", 1e-5f)), emit.wide(e.input(1)));
  const ValueId opened = emit.op("Sigmoid", {gate});
  const ValueId y =
      emit.mul(emit.op("Reshape", {scaled, emit.shape(x)}), kind == "sigmoid" ? opened : emit.mul(gate, opened));
  e.bind(0, emit.cast_like(y, e.input(0)));
}

// x as [..., branches, size]: as it is, or split where it is flat.
ValueId branches(Expansion& e, ValueId x) {
  Emitter emit(e);
  const int64_t count = e.attributes().get_int("num_branches", 0), rank = emit.rank(x, "X");
  if (count < 0) e.fail("attribute 'num_branches' cannot be {}", count);
  if (count == 0) return x;
  if (rank == 0) e.fail("a scalar {} cannot be split into {} branches", e.fact(x).to_string(), count);
  Emitter::Ints dims(static_cast<size_t>(rank) - 1, 0);
  dims.push_back(count);
  dims.push_back(-1);
  return emit.reshape(x, dims);
}

void lift_branchwise(Expansion& e, int) {
  Emitter emit(e);
  const ValueId x = emit.wide(e.input(0)), split = branches(e, x);
  ValueId y = rms(emit, split, e.attributes().get_float("epsilon", 1e-5f));
  if (e.has_input(1)) {
    const ValueId scale = emit.wide(e.input(1));
    // A scale of rank 1 is for one branch or for all of them, one after the other.
    const ValueId fitted = emit.rank(scale, "scale") == 2
                               ? scale
                               : emit.op("Reshape", {scale, emit.concat({emit.int64s({-1}), emit.dim(split, -1)}, 0)});
    y = emit.mul(y, fitted);
  }
  e.bind(0, emit.cast_like(emit.op("Reshape", {y, emit.shape(x)}), e.input(0)));
}

// sigmoid(sign(d) sqrt(max(|d|, 1e-6))) of d, the product of both norms over the square root of their size, times the value.
void lift_engram(Expansion& e, int) {
  Emitter emit(e);
  const float epsilon = e.attributes().get_float("epsilon", 1e-5f);
  const ValueId key = emit.mul(rms(emit, emit.wide(e.input(0)), epsilon), emit.wide(e.input(3)));
  const ValueId query = emit.mul(rms(emit, emit.wide(e.input(1)), epsilon), emit.wide(e.input(4)));
  const ValueId size = emit.cast(emit.dim(e.input(0), -1), DType::kFloat32);
  const ValueId dot =
      emit.div(emit.op("ReduceSum", {emit.mul(key, query), emit.int64s({-1})}), emit.op("Sqrt", {size}));
  const ValueId root = emit.op("Sqrt", {emit.op("Max", {emit.op("Abs", {dot}), emit.number(1e-6, DType::kFloat32)})});
  const ValueId gate = emit.op("Sigmoid", {emit.mul(emit.op("Sign", {dot}), root)});
  const ValueId gated = emit.mul(gate, emit.unsqueeze(emit.wide(e.input(2)), {2}));
  const ValueId output = emit.cast_like(gated, e.input(0));
  e.bind(0, output);
  if (!e.has_output(1)) return;
  if (!e.has_input(5)) e.fail("the output 'gated_value_normed' needs the input 'conv_norm_scale'");
  e.bind(1, emit.cast_like(emit.mul(rms(emit, gated, epsilon), emit.wide(e.input(5))), e.input(0)));
}

// A mix of shape [..., C] gets an axis for the features; flat ones are split like the streams.
ValueId mix(Expansion& e, ValueId mix, ValueId streams) {
  Emitter emit(e);
  const ValueId wide = emit.wide(mix);
  const int64_t rank = emit.rank(streams, "streams");
  if (emit.rank(mix, "the mix") == rank) return wide;
  if (emit.rank(mix, "the mix") != rank - 1)
    e.fail("a mix {} does not fit streams {}", e.fact(mix).to_string(), e.fact(streams).to_string());
  const int64_t count = e.attributes().get_int("num_branches", 0);
  if (rank == 1) e.fail("a scalar mix does not fit streams {}", e.fact(streams).to_string());
  const auto& last = e.fact(mix).shape->back();
  return count > 0 && last.is_constant() && last.value() != count ? branches(e, wide) : emit.unsqueeze(wide, {-1});
}

void lift_pre_mix(Expansion& e, int) {
  Emitter emit(e);
  const ValueId streams = branches(e, emit.wide(e.input(0)));
  const ValueId sum = emit.op("ReduceSum", {emit.mul(streams, mix(e, e.input(1), streams)), emit.int64s({-2})},
                              {{"keepdims", int64_t{0}}});
  const float scale = e.attributes().get_float("reduction_scale", 1.0f);
  e.bind(0, emit.cast_like(scale == 1.0f ? sum : emit.mul(sum, emit.number(scale, DType::kFloat32)), e.input(0)));
}

void lift_post_mix(Expansion& e, int) {
  Emitter emit(e);
  const ValueId flat = emit.wide(e.input(0)), streams = branches(e, flat);
  const ValueId injected = emit.mul(mix(e, e.input(2), streams), emit.unsqueeze(emit.wide(e.input(1)), {-2}));
  ValueId kept = streams;
  if (e.has_input(3)) {
    const int64_t rank = emit.rank(e.input(3), "stream_mix");
    if (rank < 2) e.fail("'stream_mix' must have rank 2 or more, got {}", e.fact(e.input(3)).to_string());
    Emitter::Ints order;
    for (int64_t i = 0; i < rank; ++i) order.push_back(i);
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    kept = emit.op("MatMul", {emit.transpose(emit.wide(e.input(3)), order), streams});
  }
  e.bind(0, emit.cast_like(emit.op("Reshape", {emit.add(kept, injected), emit.shape(flat)}), e.input(0)));
}

}  // namespace

void define_microsoft_gates(ir::OpTable& table) {
  const auto add = [&](const char* name, const char* inputs, const char* outputs, const char* attributes,
                       void (*lift)(Expansion&, int)) {
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs,
                             .outputs = outputs,
                             .types = "T: float32 float16 bfloat16 | M: float32 float16 bfloat16",
                             .attributes = attributes},
               .infer = infer_lifted,
               .lift = lift});
  };
  add("GatedAdd", "X:T, Y:T, gate:T", "output:T", "", lift_gated_add);
  add("LinearAttentionGate", "a:T, dt_bias:float32, decay_scale:float32, b?:T", "decay:T, beta?:T", "",
      lift_linear_gate);
  add("GatedRMSNorm", "X:T, scale:T, gate:T", "Y:T", "activation:string, epsilon:float", lift_gated_rms);
  add("BranchwiseRMSNorm", "X:T, scale?:M", "Y:T", "epsilon:float, num_branches:int", lift_branchwise);
  add("EngramGate", "key:T, query:T, value:T, key_norm_scale:T, query_norm_scale:T, conv_norm_scale?:T",
      "output:T, gated_value_normed?:T", "epsilon:float", lift_engram);
  add("HyperConnectionPreMix", "streams:T, pre_mix:M", "output:T", "num_branches:int, reduction_scale:float",
      lift_pre_mix);
  add("HyperConnectionPostMix", "streams:T, block_output:T, post_mix:M, stream_mix?:M", "output:T", "num_branches:int",
      lift_post_mix);
}

}  // namespace onnxrun::ops
