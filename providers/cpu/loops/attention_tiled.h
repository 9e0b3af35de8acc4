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
  static constexpr int64_t kQueries = 12;  // of a block
  static constexpr int64_t kKeys = 128;    // of a tile; whole panels
  static constexpr int64_t kMaxHead = 512;

  struct Sums;
  int64_t tiles() const { return (s_.total + kKeys - 1) / kKeys; }
  int64_t k_floats() const;
  int64_t v_floats() const;
  const float* key(const RunContext& context, int64_t b, int64_t h, int64_t j) const;
  const float* value(const RunContext& context, int64_t b, int64_t h, int64_t j) const;
  void pack(const RunContext& context, int64_t b, int64_t h, float* keys, float* values) const;
  // Softcap, mask and range on `count` scores of keys from `first` on.
  void bias(const RunContext& context, int64_t b, int64_t h, int64_t i, AttentionShape::Range range, int64_t first, int64_t count, float* scores) const;
  void packed_block(const RunContext& context, int64_t b, int64_t h, int64_t first, int64_t count, const float* keys, const float* values) const;
  void direct_query(const RunContext& context, int64_t b, int64_t h, int64_t i) const;

  AttentionShape s_;
  float scale_;
  bool packs_;
  DType mask_ = DType::kNone;
};

}  // namespace onnxrun::cpu
