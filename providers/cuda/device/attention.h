// Attention: queries against keys, in tiles of keys with a running softmax.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// Where the rows of a tensor lie: steps of batch entry, head and position, in elements; the elements of a row follow each other.
struct HeadRows {
  const void* data = nullptr;
  int64_t batch = 0, head = 0, position = 0;
};

struct AttentionWork {
  int64_t batch = 0, q_heads = 0, kv_heads = 1, q_length = 0, total = 0, past = 0, head = 0, v_head = 0;
  HeadRows q, k, v, past_k, past_v;  // keys before `past` are those of the past
  void* y = nullptr;
  int64_t y_batch = 0, y_head = 0, y_position = 0;
  int64_t first = 0;  // position of the first query among the keys, where `valid` is null
  float scale = 1, softcap = 0;
  bool causal = false;
  int64_t left = -1, right = -1;  // window; -1: unbounded
  const void* mask = nullptr;     // added; bool: false masks
  base::DType mask_type = base::DType::kNone;
  int64_t mask_length = 0, mask_steps[4] = {};
  bool sink = false;               // one more score in the softmax, which no key has
  const void* sinks = nullptr;     // that score for each head, of the type of Q; null: 0
  const int64_t* valid = nullptr;  // keys of each batch entry that are not padding; null: all
  Report report;                   // of a count outside [0, total]
};

// Q, K, V and Y of one type: float32, float64, float16 or bfloat16.
using AttentionLaunch = void (*)(const Queue& queue, const AttentionWork& work);
AttentionLaunch find_attention(base::DType type);

// The scores [batch, q_heads, q_length, total] at a stage: 0 products, 1 after the softcap, 2 with the mask, 3 probabilities.
using ScoresLaunch = void (*)(const Queue& queue, const AttentionWork& work, int stage, void* scores);
ScoresLaunch find_scores(base::DType type);

// Of `heads` heads from `first_head` on, counted through all batch entries: products of queries and keys, scaled (scores [heads, q_length, total], of
// float64 where the type is, else float32), to each key's share, of the type. `scores` are written over; both may be the same memory where the types are.
using SharesLaunch = void (*)(const Queue& queue, const AttentionWork& work, int64_t first_head, int64_t heads,
                              void* scores, void* shares);
SharesLaunch find_shares(base::DType type);

}  // namespace onnxrun::cuda
