// Float32 attention over tiles of keys: scores of a tile, a running maximum and sum, and the weighted values, without the whole score matrix.
#pragma once

#include "cpu/loops/attention.h"

namespace onnxrun::cpu {

class TiledAttention {
 public:
  static Acceptance accepts(const Node& node);
  explicit TiledAttention(const Node& node);
  size_t scratch_bytes() const;
  void run(RunContext& context) const;

 private:
  struct View;

  int64_t k_floats() const;
  int64_t v_floats() const;
  const float* key(const RunContext& context, int64_t b, int64_t h, int64_t j) const;
  const float* value(const RunContext& context, int64_t b, int64_t h, int64_t j) const;
  void pack(const RunContext& context, int64_t b, int64_t h, float* keys, float* values) const;
  AttentionShape s_;
  float scale_;
  bool packs_;
  DType mask_ = DType::kNone;
};

}  // namespace onnxrun::cpu
