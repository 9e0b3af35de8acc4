// com.microsoft.MoE and QMoE: each token through the experts that a router chose for it.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/mixture.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// Where an operator has the inputs of its three projections: weights, scales, bias, zero points; 0: nowhere.
struct Places {
  size_t weights, scales, bias, zeros;
};

// Refuses a matrix of each expert whose shape is not [experts, rows, columns], packed at `bits` a number where it has scales.
void check_projection(InferContext& c, const Places& at, const char* name, const Dim& experts, const Dim& rows,
                      const Dim& columns, int64_t bits, int64_t block) {
  const auto fits = [&](size_t i, std::string_view what, std::initializer_list<Dim> wanted) {
    const Shape* shape = i == 0 ? nullptr : c.shape(i);
    if (shape == nullptr) return;
    if (shape->size() != wanted.size())
      c.fail("the {} of {} must have rank {}, got {}", what, name, wanted.size(), c.input(i).to_string());
    size_t d = 0;
    for (const Dim& dim : wanted)
      unify(c, (*shape)[d++], dim, fmt::format("the {} of {} and what the other inputs give", what, name));
  };
  const auto bytes = [&](const Dim& count) { return ceil_div(count * Dim(bits), 8); };
  fits(at.bias, "bias", {experts, rows});
  if (at.scales == 0) return fits(at.weights, "weights", {experts, rows, columns});
  fits(at.weights, "weights", {experts, rows, bytes(columns)});
  if (!c.has_input(at.scales)) c.fail("the scales of {} are missing", name);
  if (block == 0) {
    fits(at.scales, "scales", {experts, rows});
    fits(at.zeros, "zero points", {experts, bytes(rows)});
  } else {
    if (columns.is_constant() && columns.value() % block != 0)
      c.fail("the {} columns of {} are no multiple of block_size {}", columns.value(), name, block);
    const Dim blocks = ceil_div(columns, Dim(block));
    fits(at.scales, "scales", {experts, rows, blocks});
    fits(at.zeros, "zero points", {experts, rows, bytes(blocks)});
  }
}

void infer_mixture(InferContext& c) {
  const bool quantized = std::string_view(c.node().op->name) == "QMoE";
  const auto m = attributes::read_mixture(c.attributes(), c.node().op->name);
  c.set(0, c.dtype(0), c.input(0).shape);
  const Places fc1 = quantized ? Places{2, 3, 4, 11} : Places{2, 0, 3, 0},
               fc2 = quantized ? Places{5, 6, 7, 12} : Places{4, 0, 5, 0};
  const Places fc3 = quantized ? Places{8, 9, 10, 13} : Places{6, 0, 7, 0};
  const bool third = c.has_input(fc3.weights);
  if (third && m.fused()) c.fail("the third projection is part of the first where swiglu_fusion is {}", m.fusion);
  if (!third && m.activation == attributes::ExpertActivation::kSwiglu && m.fusion == 0)
    c.fail("swiglu_fusion 0 needs the third projection");
  for (size_t i = 15; quantized && i < 21; ++i)
    if (c.has_input(i))
      base::fail(base::Code::kUnsupported,
                 "com.microsoft.QMoE with scales of activations or of whole experts is not supported");
  const Shape *x = c.shape(0), *router = c.shape(1), *second = c.shape(fc2.weights);
  if (x == nullptr || router == nullptr) return;
  if (x->size() != 2 && x->size() != 3) c.fail("'input' must have rank 2 or 3, got {}", c.input(0).to_string());
  if (router->size() != 2) c.fail("'router_probs' must have rank 2, got {}", c.input(1).to_string());
  const Dim hidden = x->back(), tokens = x->size() == 2 ? (*x)[0] : (*x)[0] * (*x)[1], experts = (*router)[1];
  unify(c, tokens, (*router)[0], "the tokens of 'input' and 'router_probs'");
  if (experts.is_constant() && m.experts_per_token > experts.value())
    c.fail("k is {}, but there are {} experts", m.experts_per_token, experts.value());
  Dim inner;
  if (second != nullptr && second->size() == 3)
    inner = quantized ? floor_div((*second)[2] * Dim(8), m.bits[1]) : (*second)[2];
  // Packed rows may end in padding, so that the first projection has the last word.
  if (const Shape* first = c.shape(fc1.weights); first != nullptr && first->size() == 3)
    inner = m.fused() ? floor_div((*first)[1], 2) : (*first)[1];
  check_projection(c, fc1, "fc1", experts, m.fused() ? inner * Dim(2) : inner, hidden, m.bits[0], m.block);
  check_projection(c, fc2, "fc2", experts, hidden, inner, m.bits[1], m.block);
  if (third) check_projection(c, fc3, "fc3", experts, inner, hidden, m.bits[2], m.block);
  if (quantized && c.shape(14) != nullptr) {
    if (c.shape(14)->size() != 2) c.fail("'router_weights' must have rank 2, got {}", c.input(14).to_string());
    for (size_t d = 0; d < 2; ++d)
      unify(c, (*c.shape(14))[d], (*router)[d], "the dims of 'router_weights' and 'router_probs'");
  }
}

}  // namespace

void define_microsoft_moe(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "MoE",
             .versions = {1},
             .signature = {.inputs = "input:T, router_probs:T, fc1_experts_weights:T, fc1_experts_bias?:T, "
                                     "fc2_experts_weights:T, fc2_experts_bias?:T, "
                                     "fc3_experts_weights?:T, fc3_experts_bias?:T",
                           .outputs = "output:T",
                           .types = "T: float32 float16 bfloat16",
                           .attributes = "activation_alpha:float, activation_beta:float, activation_type:string, "
                                         "k:int, normalize_routing_weights:int, "
                                         "swiglu_fusion:int, swiglu_limit:float, use_sparse_mixer:int"},
             .infer = infer_mixture});
  table.add(
      {.domain = "com.microsoft",
       .name = "QMoE",
       .versions = {1},
       .signature =
           {.inputs =
                "input:T, router_probs:T, fc1_experts_weights:uint8, fc1_scales?:S, fc1_experts_bias?:T, "
                "fc2_experts_weights:uint8, "
                "fc2_scales?:S, fc2_experts_bias?:T, fc3_experts_weights?:uint8, fc3_scales?:S, fc3_experts_bias?:T, "
                "fc1_zero_points?:uint8, fc2_zero_points?:uint8, fc3_zero_points?:uint8, router_weights?:T, "
                "fc1_global_scale?:float32, fc2_global_scale?:float32, fc1_act_scale?:float32, fc2_act_scale?:float32, "
                "fc1_act_block_scale?:float8e8m0, fc2_act_block_scale?:float8e8m0",
            .outputs = "output:T",
            .types = "T: float32 float16 bfloat16 | S: float32 float16 bfloat16",
            .attributes = "accuracy_level:int, activation_alpha:float, activation_beta:float, activation_type:string, "
                          "block_size:int, "
                          "expert_weight_bits:int, fc1_expert_weight_bits:int, fc2_expert_weight_bits:int, "
                          "fc3_expert_weight_bits:int, k:int, "
                          "normalize_routing_weights:int, quant_type:string, swiglu_fusion:int, swiglu_limit:float, "
                          "use_sparse_mixer:int, "
                          "weights_prepacked:int"},
       .infer = infer_mixture});
}

}  // namespace onnxrun::ops
