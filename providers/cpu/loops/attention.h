// What the kernels of Attention share: sizes, the places of rows in the tensors, and which keys a query sees.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/cpu.h"
#include "ops/attributes/attention.h"

namespace onnxrun::cpu {

struct AttentionShape {
  int64_t batch, q_heads, kv_heads, q_length, kv_length, past, total, head, v_head;
  bool merged;  // heads are merged into the last dim of Q, K, V and Y
  ops::attributes::AttentionAttributes attributes;
  int64_t mask_length = 0;       // 0: no mask
  int64_t mask_strides[4] = {};  // of batch, head, query, key

  explicit AttentionShape(const Node& node);

  int64_t group() const { return q_heads / kv_heads; }
  int64_t at(int64_t heads, int64_t length, int64_t size, int64_t b, int64_t h, int64_t i) const {
    return (merged ? (b * length + i) * heads + h : (b * heads + h) * length + i) * size;
  }
  int64_t q_at(int64_t b, int64_t h, int64_t i) const { return at(q_heads, q_length, head, b, h, i); }
  int64_t k_at(int64_t b, int64_t h, int64_t j) const { return at(kv_heads, kv_length, head, b, h, j); }
  int64_t v_at(int64_t b, int64_t h, int64_t j) const { return at(kv_heads, kv_length, v_head, b, h, j); }
  int64_t y_at(int64_t b, int64_t h, int64_t i) const { return at(q_heads, q_length, v_head, b, h, i); }
  int64_t past_at(int64_t b, int64_t h, int64_t j, int64_t size) const {
    return ((b * kv_heads + h) * past + j) * size;
  }
  int64_t mask_at(int64_t b, int64_t h, int64_t i, int64_t j) const {
    return b * mask_strides[0] + h * mask_strides[1] + i * mask_strides[2] + j * mask_strides[3];
  }

  // The keys [first, last) that query i may see by padding, causality, window and the mask's length.
  struct Range {
    int64_t first, last;
  };
  // `valid`: the keys of this batch entry that are not padding.
  Range visible(int64_t i, int64_t valid, bool external_cache) const {
    const int64_t position = i + (external_cache ? valid - q_length : past);
    Range range{0, valid};
    if (mask_length > 0) range.last = std::min(range.last, mask_length);
    if (attributes.causal) range.last = std::min(range.last, position + 1);
    if (attributes.right >= 0 && attributes.right < total)
      range.last = std::min(range.last, position + attributes.right + 1);
    if (attributes.left >= 0 && attributes.left < total) range.first = std::max<int64_t>(0, position - attributes.left);
    range.last = std::max<int64_t>(range.last, 0);
    range.first = std::min(range.first, range.last);
    return range;
  }
};

// The keys of batch entry b that are not padding. Throws kRunFailed for a count outside [0, total].
int64_t valid_keys(const AttentionShape& shape, const RunContext& context, int64_t b);

// Writes present_key and present_value, where they are outputs: the past followed by K and V.
void write_present(RunContext& context, const AttentionShape& shape);

}  // namespace onnxrun::cpu
