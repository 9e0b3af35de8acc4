// com.microsoft.QEmbedLayerNormalization: the sum of BERT's embeddings from 8-bit tables, normalised; only the rows that are read are dequantised.
#include "ir/op.h"
#include "ops/quantization_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

enum Input {
  kIds,
  kSegments,
  kWords,
  kPositions,
  kSegmentTable,
  kGamma,
  kBeta,
  kMask,
  kWordScale,
  kPositionScale,
  kSegmentScale,
  kGammaScale,
  kBetaScale,
  kWordZero,
  kPositionZero,
  kSegmentZero,
  kGammaZero,
  kBetaZero
};

void lift_embed(Expansion& e, int) {
  const bool segments = e.has_input(kSegments);
  for (size_t i : {kSegmentTable, kSegmentScale, kSegmentZero})
    if (e.has_input(i) != segments)
      e.fail("the segment ids, their table, its scale and its zero point must be given together");
  const auto rows = [&](size_t table, size_t ids, size_t scale, size_t zero) {
    const ValueId picked = e.emit("Gather", {e.input(table), e.input(ids)}, {{"axis", int64_t{0}}});
    return dequantized(e, picked, e.input(scale), e.input(zero));
  };
  const ValueId length = e.emit("Shape", {e.input(kIds)}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
  const ValueId first = e.emit("Slice", {e.input(kPositions), e.int64s({0}), length, e.int64s({0})});
  ValueId sum = e.emit("Add", {rows(kWords, kIds, kWordScale, kWordZero),
                               dequantized(e, first, e.input(kPositionScale), e.input(kPositionZero))});
  if (segments) sum = e.emit("Add", {sum, rows(kSegmentTable, kSegments, kSegmentScale, kSegmentZero)});
  const ValueId gamma = dequantized(e, e.input(kGamma), e.input(kGammaScale), e.input(kGammaZero));
  const ValueId beta = dequantized(e, e.input(kBeta), e.input(kBetaScale), e.input(kBetaZero));
  e.bind(0, e.emit("LayerNormalization", {sum, gamma, beta},
                   {{"axis", int64_t{-1}}, {"epsilon", e.attributes().get_float("epsilon", 1e-12f)}}));
  if (!e.has_output(1)) return;
  if (!e.has_input(kMask)) {
    const ValueId batch = e.emit("Shape", {e.input(kIds)}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
    return e.bind(1, e.emit("ConstantOfShape", {batch}, {{"value", ir::Tensor::vector<int32_t>({0})}}));
  }
  const ValueId words = e.emit("Equal", {e.input(kMask), e.constant(ir::Tensor::scalar<int32_t>(1))});
  const ValueId counted = e.emit("Cast", {words}, {{"to", static_cast<int64_t>(ir::DType::kInt32)}});
  e.bind(1, e.emit("ReduceSum", {counted, e.int64s({1})}, {{"keepdims", int64_t{0}}}));
}

}  // namespace

void define_microsoft_q_embed_layer_normalization(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "QEmbedLayerNormalization",
             .versions = {1},
             .signature = {.inputs = "input_ids:int32, segment_ids?:int32, word_embedding_quant:T2, "
                                     "position_embedding_quant:T2, segment_embedding?:T2, "
                                     "gamma_quant:T2, beta_quant:T2, mask?:int32, word_embedding_scale:float32, "
                                     "position_embedding_scale:float32, "
                                     "segment_embedding_scale?:float32, gamma_scale:float32, beta_scale:float32, "
                                     "word_embedding_zero_point:T2, "
                                     "position_embedding_zero_point:T2, segment_embedding_zero_point?:T2, "
                                     "gamma_zero_point:T2, beta_zero_point:T2",
                           .outputs = "layernorm_out:float32, mask_index_out?:int32",
                           .types = "T2: int8 uint8",
                           .attributes = "epsilon:float"},
             .infer =
                 [](ir::InferContext& c) {
                   c.set(0, ir::DType::kFloat32);
                   c.set(1, ir::DType::kInt32);
                 },
             .lift = lift_embed});
}

}  // namespace onnxrun::ops
