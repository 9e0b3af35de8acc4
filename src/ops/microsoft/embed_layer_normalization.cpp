// com.microsoft.EmbedLayerNormalization: the sum of BERT's embeddings, normalised, and the number of words that the mask leaves.
#include "ir/op.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

enum Input { kIds, kSegments, kWords, kPositions, kSegmentTable, kGamma, kBeta, kMask, kPositionIds };

void lift_embed(Expansion& e, int) {
  Emitter emit(e);
  const auto rows = [&](size_t table, size_t ids) {
    return emit.wide(emit.op("Gather", {e.input(table), e.input(ids)}, {{"axis", int64_t{0}}}));
  };
  if (e.has_input(kSegments) != e.has_input(kSegmentTable))
    e.fail("'segment_ids' and 'segment_embedding' must be given together");
  ValueId sum = rows(kWords, kIds);
  sum =
      emit.add(sum, e.has_input(kPositionIds)
                        ? rows(kPositions, kPositionIds)
                        : emit.wide(emit.slice(e.input(kPositions), 0, emit.int64s({0}), emit.dim(e.input(kIds), 1))));
  if (e.has_input(kSegments)) sum = emit.add(sum, rows(kSegmentTable, kSegments));
  const ValueId y = emit.op("LayerNormalization", {sum, emit.wide(e.input(kGamma)), emit.wide(e.input(kBeta))},
                            {{"axis", int64_t{-1}}, {"epsilon", e.attributes().get_float("epsilon", 1e-12f)}});
  e.bind(0, emit.cast_like(y, e.input(kWords)));
  if (e.has_output(1)) {
    if (e.has_input(kMask)) {
      const ValueId words =
          emit.cast(emit.op("Equal", {e.input(kMask), emit.like(1, e.input(kMask))}), ir::DType::kInt32);
      e.bind(1, emit.op("ReduceSum", {words, emit.int64s({1})}, {{"keepdims", int64_t{0}}}));
    } else {
      e.bind(1,
             emit.op("ConstantOfShape", {emit.dim(e.input(kIds), 0)}, {{"value", ir::Tensor::vector<int32_t>({0})}}));
    }
  }
  e.bind(2, emit.cast_like(sum, e.input(kWords)));
}

}  // namespace

void define_microsoft_embed_layer_normalization(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "EmbedLayerNormalization",
             .versions = {1},
             .signature = {.inputs = "input_ids:int32, segment_ids?:int32, word_embedding:T, position_embedding:T, "
                                     "segment_embedding?:T, gamma:T, "
                                     "beta:T, mask?:int32, position_ids?:int32",
                           .outputs = "output:T, mask_index?:int32, embedding_sum?:T",
                           .types = "T: floats",
                           .attributes = "epsilon:float, mask_index_type:int"},
             .infer = infer_lifted,
             .lift = lift_embed});
}

}  // namespace onnxrun::ops
