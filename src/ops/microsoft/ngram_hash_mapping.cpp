// com.microsoft.NGramHashMapping and VarlenNGramHashMapping: hashes of the n-grams that end at each token, for sequences of one length or packed ones.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/grouped_inputs.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// Heads of all orders; throws for attributes out of range.
int64_t heads_of(InferContext& c) {
  const int64_t most = c.attributes().get_int("max_ngram_size", 0),
                each = c.attributes().get_int("n_head_per_ngram", 0);
  if (most < 2 || most > 1024 || each < 1 || each > 65536)
    c.fail("max_ngram_size {} must be 2 to 1024 and n_head_per_ngram {} 1 to 65536", most, each);
  return (most - 1) * each;
}

// The inputs that both share, from `past` on: past_ids, head_offsets, eos_token_id.
void check_shared(InferContext& c, int64_t heads, size_t past, const Dim& batch) {
  const int64_t most = c.attributes().get_int("max_ngram_size", 0);
  if (const Shape* multipliers = ranked_input(c, 1, "multipliers", 1))
    if ((*multipliers)[0].is_constant() && (*multipliers)[0].value() < most)
      c.fail("'multipliers' must have {} elements, got {}", most, c.input(1).to_string());
  if (const Shape* sizes = ranked_input(c, 2, "vocab_sizes", 1))
    unify(c, (*sizes)[0], heads, "the size of 'vocab_sizes' and the number of heads");
  if (const Shape* ids = ranked_input(c, past, "past_ids", 2)) {
    unify(c, (*ids)[0], batch, "the batch sizes of 'past_ids' and the sequences");
    unify(c, (*ids)[1], most - 1, "the last dim of 'past_ids' and max_ngram_size less 1");
  }
  if (const Shape* offsets = ranked_input(c, past + 1, "head_offsets", 1))
    unify(c, (*offsets)[0], heads, "the size of 'head_offsets' and the number of heads");
  if (const Shape* eos = c.shape(past + 2)) unify(c, ir::element_count(*eos), 1, "the size of 'eos_token_id' and 1");
}

void infer_hashes(InferContext& c) {
  const int64_t heads = heads_of(c);
  const Shape* ids = ranked_input(c, 0, "input_ids", 2);
  const Dim batch = ids ? (*ids)[0] : Dim(), length = ids ? (*ids)[1] : Dim();
  check_shared(c, heads, 3, batch);
  if (const Shape* segments = ranked_input(c, 6, "segment_ids", 2)) {
    unify(c, (*segments)[0], batch, "the batch sizes of 'segment_ids' and 'input_ids'");
    unify(c, (*segments)[1], length, "the lengths of 'segment_ids' and 'input_ids'");
  }
  c.set(0, c.dtype(0), Shape{batch, length, heads});
  c.set(1, c.dtype(0), Shape{batch, c.attributes().get_int("max_ngram_size", 0) - 1});
}

void infer_packed_hashes(InferContext& c) {
  const int64_t heads = heads_of(c), carried = c.attributes().get_int("max_ngram_size", 0) - 1,
                capacity = c.attributes().get_int("state_update_capacity", 0);
  if (capacity < 0 || capacity > 8) c.fail("state_update_capacity must be 0 to 8, got {}", capacity);
  if ((capacity > 0) != c.has_input(9))
    c.fail("'capture_count' must be given exactly where state_update_capacity is positive");
  const Shape *ids = ranked_input(c, 0, "input_ids", 1), *starts = ranked_input(c, 3, "cumulative_sequence_length", 1);
  const Dim tokens = ids ? (*ids)[0] : Dim(), batch = starts ? (*starts)[0] - Dim(1) : Dim();
  if (batch.is_constant() && batch.value() < 0) c.fail("'cumulative_sequence_length' is empty");
  check_shared(c, heads, 4, batch);
  if (const Shape* segments = ranked_input(c, 7, "segment_ids", 1))
    unify(c, (*segments)[0], tokens, "the lengths of 'segment_ids' and 'input_ids'");
  if (const Shape* past = ranked_input(c, 8, "past_segment_ids", 2)) {
    unify(c, (*past)[0], batch, "the batch sizes of 'past_segment_ids' and the sequences");
    unify(c, (*past)[1], carried, "the last dim of 'past_segment_ids' and max_ngram_size less 1");
  }
  if (const Shape* captured = ranked_input(c, 9, "capture_count", 1))
    unify(c, (*captured)[0], batch, "the size of 'capture_count' and the batch size");
  c.set(0, c.dtype(0), Shape{tokens, heads});
  c.set(1, c.dtype(0), Shape{batch, carried});
  c.set(2, ir::DType::kInt32, Shape{batch, carried});
  c.set(3, c.dtype(0), Shape{batch, capacity, carried});
}

}  // namespace

void define_microsoft_ngram_hash_mapping(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "NGramHashMapping",
             .versions = {1},
             .signature = {.inputs = "input_ids:M, multipliers:M, vocab_sizes:M, past_ids?:M, head_offsets?:M, "
                                     "eos_token_id?:M, segment_ids?:int32",
                           .outputs = "hash_ids:M, present_ids?:M",
                           .types = "M: int32 int64",
                           .attributes = "max_ngram_size:int!, n_head_per_ngram:int!, pad_id:int!, reset_on_eos:int"},
             .infer = infer_hashes});
  table.add(
      {.domain = "com.microsoft",
       .name = "VarlenNGramHashMapping",
       .versions = {1},
       .signature =
           {.inputs = "input_ids:M, multipliers:M, vocab_sizes:M, cumulative_sequence_length:int32, past_ids?:M, "
                      "head_offsets?:M, "
                      "eos_token_id?:M, segment_ids?:int32, past_segment_ids?:int32, capture_count?:int32",
            .outputs = "hash_ids:M, present_ids?:M, present_segment_ids?:int32, state_update?:M",
            .types = "M: int32 int64",
            .attributes =
                "max_ngram_size:int!, n_head_per_ngram:int!, pad_id:int!, reset_on_eos:int, state_update_capacity:int"},
       .infer = infer_packed_hashes});
}

}  // namespace onnxrun::ops
