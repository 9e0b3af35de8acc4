// Float32 attention over tiles of keys: scores of a tile, a running maximum and sum, and the weighted values, without the whole score matrix. Blocks of queries
// multiply bfloat16 parts of their operands where the machine has tiles (attention_parts.h), and at medium precision operands rounded to bfloat16.
#pragma once

#include "cpu/loops/attention.h"
#include "cpu/loops/attention_parts.h"

namespace onnxrun::cpu {

class TiledAttention {
 public:
  static Acceptance accepts(const Node& node);
  explicit TiledAttention(const Node& node);
  size_t scratch_bytes() const;
  void run(RunContext& context) const;

 private:
  struct View;

  const float* key(const RunContext& context, int64_t b, int64_t h, int64_t j) const;
  const float* value(const RunContext& context, int64_t b, int64_t h, int64_t j) const;
  template <class Element>
  void pack(const RunContext& context, int64_t b, int64_t h, Element* keys, Element* values) const;
  template <class Element>
  void run_blocks(RunContext& context) const;
  void run_parts(RunContext& context) const;
  AttentionShape s_;
  float scale_;
  bool packs_, pairs_;
  AttentionParts parts_;  // where it is taken by these
  DType mask_ = DType::kNone;
};

}  // namespace onnxrun::cpu
