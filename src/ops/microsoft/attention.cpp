// com.microsoft.Attention: the projections of BERT and GPT-2 in one matrix, then ONNX's Attention.
#include "ir/op.h"
#include "ops/attention_parts.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

enum Input { kX, kWeights, kBias, kMask, kPast, kScoreBias, kPastLength };

std::vector<ValueId> project(Expansion& e) {
  Emitter emit(e);
  ValueId all = emit.op("MatMul", {e.input(kX), e.input(kWeights)});
  if (e.has_input(kBias)) all = emit.add(all, e.input(kBias));
  const std::vector<int64_t> sizes = e.attributes().get_ints("qkv_hidden_sizes");
  if (sizes.empty()) return emit.split_evenly(all, 2, 3);
  if (sizes.size() != 3 || sizes[0] != sizes[1] || sizes[0] < 1 || sizes[2] < 1)
    e.fail("attribute 'qkv_hidden_sizes' must be three positive sizes, the first two equal");
  return emit.split(all, 2, sizes);
}

void lift_attention(Expansion& e, int) {
  Emitter emit(e);
  const auto refuse = [&](bool given, const char* what) {
    if (given) base::fail(base::Code::kUnsupported, "com.microsoft.Attention with {} is not supported", what);
  };
  refuse(e.attributes().get_int("do_rotary", 0) != 0, "do_rotary");
  refuse(e.attributes().get_int("past_present_share_buffer", 0) != 0 || e.has_input(kPastLength),
         "past_present_share_buffer");
  finish_self_attention(emit, project(e), e.input(kX), e.input(kMask), e.input(kPast), e.input(kScoreBias));
}

}  // namespace

void define_microsoft_attention(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "Attention",
             .versions = {1},
             .signature = {.inputs = "input:T, weights:T, bias?:T, mask_index?:int32, past?:T, attention_bias?:T, "
                                     "past_sequence_length?:int32",
                           .outputs = "output:T, present?:T",
                           .types = "T: floats",
                           .attributes =
                               "do_rotary:int, mask_filter_value:float, num_heads:int!, past_present_share_buffer:int, "
                               "qkv_hidden_sizes:ints, rotary_embedding_dim:int, scale:float, unidirectional:int"},
             .infer = infer_lifted,
             .lift = lift_attention});
}

}  // namespace onnxrun::ops
