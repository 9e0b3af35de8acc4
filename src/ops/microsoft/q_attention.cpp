// com.microsoft.QAttention: Attention whose projections are a product of 8-bit matrices.
#include "ir/op.h"
#include "ops/attention_parts.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

enum Input { kX, kWeights, kBias, kScale, kWeightScale, kMask, kZero, kWeightZero, kPast };

void lift_q_attention(Expansion& e, int) {
  Emitter emit(e);
  for (const char* attribute : {"do_rotary", "past_present_share_buffer"})
    if (e.attributes().get_int(attribute, 0) != 0)
      base::fail(base::Code::kUnsupported, "com.microsoft.QAttention with {} is not supported", attribute);
  const ValueId all = e.emit("MatMulIntegerToFloat",
                             {e.input(kX), e.input(kWeights), e.input(kScale), e.input(kWeightScale), e.input(kZero),
                              e.input(kWeightZero), e.input(kBias)},
                             {}, "com.microsoft");
  finish_self_attention(emit, emit.split_evenly(all, 2, 3), e.input(kX), e.input(kMask), e.input(kPast), ir::kNone);
}

}  // namespace

void define_microsoft_q_attention(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "QAttention",
       .versions = {1},
       .signature =
           {.inputs = "input:T1, weight:T2, bias:T3, input_scale:T3, weight_scale:T3, mask_index?:int32, "
                      "input_zero_point?:T1, "
                      "weight_zero_point?:T2, past?:T3",
            .outputs = "output:T3, present?:T3",
            .types = "T1: int8 uint8 | T2: int8 uint8 | T3: float32 float16",
            .attributes =
                "do_rotary:int, mask_filter_value:float, num_heads:int!, past_present_share_buffer:int, scale:float, "
                "unidirectional:int"},
       .infer = infer_lifted,
       .lift = lift_q_attention});
}

}  // namespace onnxrun::ops
