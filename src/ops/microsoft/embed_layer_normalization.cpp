// com.microsoft.EmbedLayerNormalization: the sum of BERT's embeddings, normalised, and the number of words that the mask leaves. It is lifted; the
// optimizer makes some again, for ids of 64 bits as well.
#include "ir/infer.h"
#include "ir/lowering.h"
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

void infer_embed(ir::InferContext& c) {
  std::optional<ir::Shape> rows = c.input(kIds).shape;
  const ir::Shape* words = c.shape(kWords);
  std::optional<ir::Shape> batch;
  if (rows && !rows->empty()) batch = ir::Shape{rows->front()};
  if (rows) {
    if (words != nullptr && words->size() != 2)
      c.fail("'word_embedding' must have rank 2, got {}", c.input(kWords).to_string());
    rows->push_back(words != nullptr ? words->back() : ir::Dim());
  }
  c.set(0, c.dtype(kWords), rows);
  c.set(1, ir::DType::kInt32, batch);
  c.set(2, c.dtype(kWords), rows);
}

// The operator itself has ids of 32 bits.
void lower_embed(ir::Lowering& l, int) {
  for (size_t i : {kIds, kSegments, kPositionIds})
    if (l.has_input(i) && l.fact(l.input(i)).dtype == ir::DType::kInt64)
      l.set_input(i, l.emit("Cast", {l.input(i)}, {{"to", static_cast<int64_t>(ir::DType::kInt32)}}));
  l.keep();
}

}  // namespace

void define_microsoft_embed_layer_normalization(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "EmbedLayerNormalization",
             .versions = {1, 2},  // files have the first, in which ids have 32 bits
             .signature = {.inputs = "input_ids:I, segment_ids?:I, word_embedding:T, position_embedding:T, "
                                     "segment_embedding?:T, gamma:T, "
                                     "beta:T, mask?:int32, position_ids?:I",
                           .outputs = "output:T, mask_index?:int32, embedding_sum?:T",
                           .types = "T: floats | I: int32 int64",
                           .attributes = "epsilon:float, mask_index_type:int"},
             .infer = infer_embed,
             .lift = lift_embed,
             .lower = lower_embed,
             .decompose = [](Expansion& e) { return lift_embed(e, 1), true; }});
}

}  // namespace onnxrun::ops
