// What the lifts of ONNX Runtime's attention operators share: masks as numbers to add, and the call of ONNX's Attention.
#pragma once

#include "ops/emitter.h"

namespace onnxrun::ops {

// A mask of ONNX Runtime as float32 numbers to add to scores [batch, heads, queries, keys]: 0 where a key counts, `filter` where not. Rank 1: where
// the keys of each batch entry end, with where they start behind it if there are twice as many numbers. Rank 2 [batch, keys] and
// rank 3 [batch, queries, keys]: whether a key counts. `batch` and `keys` are int64 vectors of one element.
ir::ValueId mask_as_bias(Emitter& emit, ir::ValueId mask, ir::ValueId batch, ir::ValueId keys, float filter);

// The sum of two biases that may be absent, in float32.
ir::ValueId add_biases(Emitter& emit, ir::ValueId a, ir::ValueId b);

// [batch, length, heads*size] as [batch, heads, length, size], and back.
ir::ValueId split_heads(Emitter& emit, ir::ValueId x, int64_t heads);
ir::ValueId merge_heads(Emitter& emit, ir::ValueId x);

struct AttentionCall {
  ir::ValueId q = ir::kNone, k = ir::kNone,
              v = ir::kNone;  // all of rank 3 [batch, length, heads*size], or all of rank 4
  ir::ValueId bias = ir::kNone, past_key = ir::kNone, past_value = ir::kNone, valid_keys = ir::kNone;
  int64_t heads = 0;
  float scale = 0;
  bool causal = false;
  bool present = false;  // wanted
  int64_t scores = -1;   // qk_matmul_output_mode where they are wanted
};
struct AttentionResult {
  ir::ValueId y = ir::kNone, present_key = ir::kNone, present_value = ir::kNone, scores = ir::kNone;
};
AttentionResult emit_attention(Emitter& emit, const AttentionCall& call);

// Binds the outputs (y, present) of a node with the attributes num_heads, scale, unidirectional and mask_filter_value: the attention of projected
// queries, keys and values to one another. `x` [batch, length, ...] is what was projected; `mask`, `past` [2, batch, heads, length, size] and `bias` may be
// kNone.
void finish_self_attention(Emitter& emit, const std::vector<ir::ValueId>& projected, ir::ValueId x, ir::ValueId mask,
                           ir::ValueId past, ir::ValueId bias);

}  // namespace onnxrun::ops
