// Attention of groups of query heads over caches that each run extends: what the kernels of GroupQueryAttention and SparseAttention share.
#pragma once

#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/attention_rows.h"
#include "cpu/loops/cache_rows.h"
#include "ops/attributes/grouped_attention.h"

namespace onnxrun::cpu {

// Where the operators have their inputs; 0: none but for `query`.
struct GroupedInputs {
  size_t query = 0, key = 1, value = 2, past_key, past_value, cos, sin, positions, bias, sink, key_scale, value_scale,
         q_norm, k_norm;
};

// How far one entry of the batch has come.
struct GroupedEntry {
  int64_t past = 0;   // keys before this run's
  int64_t total = 0;  // keys that count with them
};

class GroupedAttention {
 public:
  GroupedAttention(const Node& node, const GroupedInputs& inputs, const ops::attributes::GroupedAttention& attributes);

  // What the caller may add: whether query position `q` of head `h` sees the block of keys from `j` on; null: all.
  using SeesBlock = bool (*)(const void* context, int64_t h, int64_t q, int64_t j);
  struct Blocks {
    int64_t size = 0;  // keys of a block, a divisor of the tile or a multiple of it
    SeesBlock sees = nullptr;
    const void* context = nullptr;
  };

  size_t scratch_bytes() const;
  // `total`: the batch's largest number of keys, the last dim of the bias and of the scores. `prompt`: the run begins the sequences.
  void run(RunContext& context, const std::vector<GroupedEntry>& entries, int64_t total, bool prompt,
           const Blocks& blocks) const;

  int64_t batch() const { return batch_; }
  int64_t length() const { return length_; }
  int64_t past_capacity() const { return past_capacity_; }

 private:
  struct View;
  // Float32 memory: turned queries, keys and values as rows, their panels, scores of one query a head, results.
  struct Scratch {
    float *queries, *keys, *values, *key_panels, *value_panels, *scores, *results;
  };

  Scratch scratch(void* memory) const;
  int64_t rows() const { return past_capacity_ + length_; }  // the most keys there can be
  int64_t resident(int64_t total) const;
  int64_t position(const RunContext& context, const GroupedEntry& entry, int64_t b, int64_t s, bool prompt) const;
  void prepare(const RunContext& context, size_t weight, const float* angles, float* head) const;
  void take_queries(RunContext& context, const std::vector<GroupedEntry>& entries, bool prompt, const Scratch& s) const;
  void extend(RunContext& context, const std::vector<GroupedEntry>& entries, bool prompt, const Scratch& s) const;
  void extend_head(const RunContext& context, const GroupedEntry& entry, int64_t b, int64_t h, bool prompt,
                   const Scratch& s) const;
  void keep_rows(const char* past, char* present, int64_t bytes, int64_t held, int64_t kept,
                 const GroupedEntry& entry) const;
  void load_source(const RunContext& context, size_t input, int64_t offset, float* out) const;
  void scores(RunContext& context, const View& view, int64_t b, int64_t h, int64_t i, int64_t total, float* row) const;

  ops::attributes::GroupedAttention attributes_;
  GroupedInputs in_;
  DType type_;
  CacheRows key_rows_, value_rows_;
  int64_t batch_, length_, head_, past_capacity_ = 0, capacity_ = 0, pairs_ = 0, angles_ = 0;
  int64_t bias_strides_[4] = {};
  float scale_;
  bool merged_source_, staged_, packs_;
};

}  // namespace onnxrun::cpu
