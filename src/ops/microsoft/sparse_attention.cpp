// com.microsoft.SparseAttention: grouped attention over a cache of full length, in which each head sees blocks of keys.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/grouped_inputs.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

enum Input { kQuery, kKey, kValue, kPastKey, kPastValue, kRows, kColumns, kTotal, kLengths, kCos, kSin };

void infer_sparse(InferContext& c) {
  const int64_t heads = c.attributes().get_int("num_heads", 0), kv = c.attributes().get_int("kv_num_heads", 0);
  const int64_t block = c.attributes().get_int("sparse_block_size", 0);
  if (heads < 1 || kv < 1 || heads % kv != 0)
    c.fail("num_heads {} must be a positive multiple of kv_num_heads {}", heads, kv);
  if (block != 16 && block != 32 && block != 64 && block != 128)
    c.fail("sparse_block_size must be 16, 32, 64 or 128, got {}", block);
  if (c.attributes().get_int("do_rotary", 0) == 1 && !(c.has_input(kCos) && c.has_input(kSin)))
    c.fail("do_rotary needs 'cos_cache' and 'sin_cache'");
  c.set(0, c.dtype(kQuery));
  c.set(1, c.dtype(kPastKey), c.input(kPastKey).shape);
  c.set(2, c.dtype(kPastValue), c.input(kPastValue).shape);
  const Shape *rows = ranked_input(c, kRows, "block_row_indices", 2),
              *columns = ranked_input(c, kColumns, "block_col_indices", 2);
  if (rows != nullptr && columns != nullptr)
    unify(c, (*rows)[0], (*columns)[0], "the layouts of 'block_row_indices' and 'block_col_indices'");
  if (rows != nullptr && (*rows)[1].is_constant() && (*rows)[1].value() < 1)
    c.fail("'block_row_indices' {} has no rows", c.input(kRows).to_string());
  if (rows != nullptr && (*rows)[0].is_constant() && ((*rows)[0].value() < 1 || heads % (*rows)[0].value() != 0))
    c.fail("num_heads {} is no multiple of the {} layouts of 'block_row_indices'", heads, (*rows)[0].value());
  const auto sources = read_grouped_sources(c, heads, kv);
  if (!sources) return;
  const auto& [batch, length, head] = *sources;
  for (size_t i : {kPastKey, kPastValue}) {
    const Shape* past = ranked_input(c, i, i == kPastKey ? "past_key" : "past_value", 4);
    if (past == nullptr) continue;
    unify(c, batch, (*past)[0], "the batch sizes of 'query' and the past");
    unify(c, kv, (*past)[1], "kv_num_heads and the heads of the past");
    unify(c, head, (*past)[3], "the head size and the last dim of the past");
  }
  if (c.shape(kPastKey) != nullptr && c.shape(kPastValue) != nullptr)
    unify(c, (*c.shape(kPastKey))[2], (*c.shape(kPastValue))[2], "the room of 'past_key' and 'past_value'");
  check_rotary_caches(c, kCos, kSin, head);
  if (const Shape* lengths = ranked_input(c, kLengths, "key_total_sequence_lengths", 1))
    unify(c, (*lengths)[0], batch, "the size of 'key_total_sequence_lengths' and the batch size");
  if (const Shape* total = c.shape(kTotal))
    unify(c, ir::element_count(*total), 1, "the size of 'total_sequence_length' and 1");
  c.set(0, c.dtype(kQuery), Shape{batch, length, Dim(heads) * head});
}

}  // namespace

void define_microsoft_sparse_attention(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "SparseAttention",
       .versions = {1},
       .signature = {.inputs =
                         "query:T, key?:T, value?:T, past_key:T, past_value:T, block_row_indices:int32, "
                         "block_col_indices:int32, "
                         "total_sequence_length:int32, key_total_sequence_lengths:int32, cos_cache?:T, sin_cache?:T",
                     .outputs = "output:T, present_key:T, present_value:T",
                     .types = "T: float32 float16 bfloat16",
                     .attributes = "do_rotary:int, kv_num_heads:int!, num_heads:int!, rotary_interleaved:int, "
                                   "scale:float, sparse_block_size:int!"},
       .infer = infer_sparse});
}

}  // namespace onnxrun::ops
