// com.microsoft.WordConvEmbedding: words as the largest answers of a convolution over their characters.
#include "ir/op.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::Expansion;
using ir::ValueId;

// Characters end at the first that is 0; a word without any is zeros, one shorter than the window has one answer.
void lift_word_embedding(Expansion& e, int) {
  Emitter emit(e);
  const ValueId words = e.input(0), weights = e.input(1);
  if (emit.rank(words, "Sequence") != 2)
    e.fail("'Sequence' must have rank 2 [words, characters], got {}", e.fact(words).to_string());
  if (emit.rank(weights, "W") != 4)
    e.fail("'W' must have rank 4 [filters, 1, window, characters], got {}", e.fact(weights).to_string());
  const ValueId letters = emit.op("Gather", {e.input(3), words}, {{"axis", int64_t{0}}});
  const ValueId answers =
      emit.op("Tanh", {emit.squeeze(emit.op("Conv", {emit.unsqueeze(letters, {1}), weights, e.input(2)}),
                                    {3})});  // [words, filters, places]
  // Whether the characters up to each one are all there, as 1 and 0; their sum is the length of the word.
  const ValueId there = emit.cast(emit.op("Greater", {words, emit.like(0, words)}), DType::kInt32);
  const ValueId gaps = emit.op("CumSum", {emit.sub(emit.like(1, there), there), emit.int64(1)});
  const ValueId running = emit.cast(emit.op("Equal", {gaps, emit.like(0, gaps)}), DType::kInt64);
  const ValueId length = emit.op("ReduceSum", {running, emit.int64s({1})});  // [words, 1]
  const ValueId places =
      emit.op("Max", {emit.add(emit.sub(length, emit.dim(weights, 2)), emit.int64(1)), emit.int64(1)});
  const ValueId counts = emit.op("Less", {emit.count_up(emit.dim(answers, 2)), places});
  const ValueId seen = emit.where(emit.unsqueeze(counts, {1}), answers, emit.like(-2, answers));  // below every answer
  const ValueId best = emit.op("ReduceMax", {seen, emit.int64s({2})}, {{"keepdims", int64_t{0}}});
  e.bind(0, emit.where(emit.op("Greater", {length, emit.int64(0)}), best, emit.like(0, best)));
}

}  // namespace

void define_microsoft_word_conv_embedding(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "WordConvEmbedding",
             .versions = {1},
             .signature = {.inputs = "Sequence:int32, W:float32, B:float32, C:float32",
                           .outputs = "Y:float32",
                           .attributes = "char_embedding_size:int, conv_window_size:int, embedding_size:int"},
             .infer = infer_lifted,
             .lift = lift_word_embedding});
}

}  // namespace onnxrun::ops
