// Float32 attention over tiles of keys.
#include "cpu/loops/attention_tiled.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

}  // namespace

Acceptance TiledAttention::accepts(const Node& node) {
  for (size_t i : {0, 1, 2})
    if (dtype(node.input(i)) != DType::kFloat32) return Acceptance::decline("not float32");
  if (node.has_output(3)) return Acceptance::decline("the scores are an output");
  if (node.has_input(3) && dtype(node.input(3)) != DType::kFloat32 && dtype(node.input(3)) != DType::kBool)
    return Acceptance::decline("the mask is neither bool nor float32");
  return {};
}

TiledAttention::TiledAttention(const Node& node) : s_(node), scale_(static_cast<float>(s_.attributes.scale_for(s_.head))) {
  if (s_.head > kMaxHead || s_.v_head > kMaxHead) throw provider::Declined{"the heads are too large"};
  packs_ = s_.kv_heads > 0 && s_.q_length * s_.group() >= 8 && s_.q_length > 1;
  if (node.has_input(3)) mask_ = dtype(node.input(3));
}

int64_t TiledAttention::k_floats() const { return panel_floats(s_.head, s_.total); }
int64_t TiledAttention::v_floats() const { return tiles() * panel_floats(kKeys, s_.v_head); }

size_t TiledAttention::scratch_bytes() const {
  if (!packs_) return 0;
  return static_cast<size_t>(base::checked_mul(base::checked_mul(s_.batch, s_.kv_heads), (k_floats() + v_floats()) * 4));
}

const float* TiledAttention::key(const RunContext& context, int64_t b, int64_t h, int64_t j) const {
  return j < s_.past ? context.in<float>(4) + s_.past_at(b, h, j, s_.head) : context.in<float>(1) + s_.k_at(b, h, j - s_.past);
}
const float* TiledAttention::value(const RunContext& context, int64_t b, int64_t h, int64_t j) const {
  return j < s_.past ? context.in<float>(5) + s_.past_at(b, h, j, s_.v_head) : context.in<float>(2) + s_.v_at(b, h, j - s_.past);
}

void TiledAttention::run(RunContext& context) const {
  write_present(context, s_);
  if (s_.q_heads == 0 || s_.q_length == 0) return;
  for (int64_t b = 0; b < s_.batch; ++b) valid_keys(s_, context, b);  // refuses bad lengths once
  if (!packs_) {
    parallel_polled(context, s_.batch * s_.q_heads * s_.q_length, s_.total * (s_.head + s_.v_head) / 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t i = item % s_.q_length, h = item / s_.q_length % s_.q_heads, b = item / s_.q_length / s_.q_heads;
        direct_query(context, b, h, i);
      }
    });
    return;
  }
  float* keys = static_cast<float*>(context.scratch());
  float* values = keys + s_.batch * s_.kv_heads * k_floats();
  parallel_polled(context, s_.batch * s_.kv_heads, s_.total * (s_.head + s_.v_head) * 4, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item)
      pack(context, item / s_.kv_heads, item % s_.kv_heads, keys + item * k_floats(), values + item * v_floats());
  });
  const int64_t blocks = (s_.q_length + kQueries - 1) / kQueries;
  parallel_polled(context, s_.batch * s_.q_heads * blocks, kQueries * s_.total * (s_.head + s_.v_head) / 8, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t first = item % blocks * kQueries, h = item / blocks % s_.q_heads, b = item / blocks / s_.q_heads;
      const int64_t kv = b * s_.kv_heads + h / s_.group();
      packed_block(context, b, h, first, std::min(kQueries, s_.q_length - first), keys + kv * k_floats(), values + kv * v_floats());
    }
  });
}

// Keys as columns of panels, values as rows of panels, tile by tile.
void TiledAttention::pack(const RunContext& context, int64_t b, int64_t h, float* keys, float* values) const {
  for (int64_t j = 0; j < s_.total;) {
    // A run of keys within a panel, all of them from the past or all from the input.
    int64_t end = std::min(s_.total, j / kPanel * kPanel + kPanel);
    if (j < s_.past) end = std::min(end, s_.past);
    const int64_t stride = j < s_.past || !s_.merged ? s_.head : s_.kv_heads * s_.head;
    const float* from = key(context, b, h, j);
    float* to = keys + j / kPanel * kPanel * s_.head + j % kPanel;
    for (int64_t e = 0; e < s_.head; ++e)
      for (int64_t r = 0; r < end - j; ++r) to[e * kPanel + r] = from[r * stride + e];
    j = end;
  }
  const int64_t padded = (s_.total + kPanel - 1) / kPanel * kPanel;
  for (int64_t j = s_.total; j < padded; ++j)
    for (int64_t e = 0; e < s_.head; ++e) keys[j / kPanel * kPanel * s_.head + e * kPanel + j % kPanel] = 0.0f;
  const int64_t tile_floats = panel_floats(kKeys, s_.v_head);
  for (int64_t tile = 0; tile < tiles(); ++tile) {
    const int64_t rows = std::min(kKeys, s_.total - tile * kKeys);
    float* to = values + tile * tile_floats;
    for (int64_t r = 0; r < rows; ++r) {
      const float* from = value(context, b, h, tile * kKeys + r);
      for (int64_t e = 0; e < s_.v_head; e += kPanel) {
        const int64_t columns = std::min(kPanel, s_.v_head - e);
        float* row = to + e * rows + r * kPanel;
        std::copy_n(from + e, columns, row);
        std::fill_n(row + columns, kPanel - columns, 0.0f);
      }
    }
  }
}

void TiledAttention::bias(const RunContext& context, int64_t b, int64_t h, int64_t i, AttentionShape::Range range, int64_t first,
                          int64_t count, float* scores) const {
  if (const float cap = s_.attributes.softcap; cap > 0) {
    for (int64_t j = 0; j < count; ++j) scores[j] /= cap;
    row_functions().tanh(scores, scores, count);
    for (int64_t j = 0; j < count; ++j) scores[j] *= cap;
  }
  const int64_t begin = std::clamp<int64_t>(range.first - first, 0, count), end = std::clamp<int64_t>(range.last - first, begin, count);
  if (mask_ != DType::kNone && begin < end) {
    const int64_t at = s_.mask_at(b, h, i, first);
    if (mask_ == DType::kBool) {
      const bool* mask = context.in<bool>(3) + at;
      for (int64_t j = begin; j < end; ++j) scores[j] = mask[j] ? scores[j] : kMasked;
    } else {
      const float* mask = context.in<float>(3) + at;
      for (int64_t j = begin; j < end; ++j) scores[j] = mask[j] == kMasked ? kMasked : scores[j] + mask[j];
    }
  }
  std::fill_n(scores, begin, kMasked);
  std::fill_n(scores + end, count - end, kMasked);
}

// The running softmax of one query: scores become weights relative to the largest so far; what was summed before is scaled to it.
struct TiledAttention::Sums {
  float largest = kMasked;
  double total = 0;

  // False when no key of the tile is seen.
  bool take(float* scores, int64_t count, float* y, int64_t size) {
    const float peak = row_max(scores, count);
    if (peak == kMasked) return false;
    if (!(peak <= largest)) {
      if (total != 0) {
        const float factor = std::exp(largest - peak);
        total *= static_cast<double>(factor);
        row_scale(y, factor, y, size);
      }
      largest = peak;
    }
    total += row_exp(scores, largest, scores, count);
    return true;
  }
  void finish(float* y, int64_t size) const {
    if (total != 0) row_scale(y, static_cast<float>(1.0 / total), y, size);
  }
};

void TiledAttention::packed_block(const RunContext& context, int64_t b, int64_t h, int64_t first, int64_t count, const float* keys,
                                  const float* values) const {
  alignas(64) float queries[kQueries * kMaxHead], scores[kQueries * kKeys], sums[kQueries * kMaxHead];
  Sums state[kQueries];
  AttentionShape::Range ranges[kQueries], all{s_.total, 0};
  const int64_t valid = valid_keys(s_, context, b);
  for (int64_t r = 0; r < count; ++r) {
    row_scale(context.in<float>(0) + s_.q_at(b, h, first + r), scale_, queries + r * s_.head, s_.head);
    ranges[r] = s_.visible(first + r, valid, context.has_input(6));
    all.first = std::min(all.first, ranges[r].first);
    all.last = std::max(all.last, ranges[r].last);
  }
  std::fill_n(sums, count * s_.v_head, 0.0f);
  const int64_t tile_floats = panel_floats(kKeys, s_.v_head);
  for (int64_t tile = all.first / kKeys; tile * kKeys < all.last; ++tile) {
    const int64_t j = tile * kKeys, n = std::min(kKeys, s_.total - j);
    multiply_panels(queries, s_.head, keys + j * s_.head, count, s_.head, n, false, scores, kKeys);
    bool any = false;
    for (int64_t r = 0; r < count; ++r) {
      float* row = scores + r * kKeys;
      bias(context, b, h, first + r, ranges[r], j, n, row);
      if (state[r].take(row, n, sums + r * s_.v_head, s_.v_head)) any = true;
      else std::fill_n(row, n, 0.0f);
    }
    if (any) multiply_panels(scores, kKeys, values + tile * tile_floats, count, n, s_.v_head, true, sums, s_.v_head);
  }
  for (int64_t r = 0; r < count; ++r) {
    state[r].finish(sums + r * s_.v_head, s_.v_head);
    std::copy_n(sums + r * s_.v_head, s_.v_head, context.out<float>(0) + s_.y_at(b, h, first + r));
  }
}

void TiledAttention::direct_query(const RunContext& context, int64_t b, int64_t h, int64_t i) const {
  alignas(64) float query[kMaxHead], scores[kKeys], sums[kMaxHead];
  row_scale(context.in<float>(0) + s_.q_at(b, h, i), scale_, query, s_.head);
  std::fill_n(sums, s_.v_head, 0.0f);
  const auto range = s_.visible(i, valid_keys(s_, context, b), context.has_input(6));
  const int64_t kv = h / s_.group();
  Sums state;
  for (int64_t j = range.first / kKeys * kKeys; j < range.last; j += kKeys) {
    const int64_t n = std::min(kKeys, s_.total - j);
    for (int64_t r = 0; r < n; ++r) scores[r] = row_functions().dot(query, key(context, b, kv, j + r), s_.head);
    bias(context, b, h, i, range, j, n, scores);
    if (!state.take(scores, n, sums, s_.v_head)) continue;
    for (int64_t r = 0; r < n; ++r)
      if (scores[r] != 0.0f) row_functions().add_scaled(value(context, b, kv, j + r), scores[r], sums, s_.v_head);
  }
  state.finish(sums, s_.v_head);
  std::copy_n(sums, s_.v_head, context.out<float>(0) + s_.y_at(b, h, i));
}

}  // namespace onnxrun::cpu
