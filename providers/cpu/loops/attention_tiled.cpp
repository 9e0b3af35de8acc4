// Float32 attention over tiles of keys.
#include "cpu/loops/attention_tiled.h"

#include <algorithm>

#include "base/checked.h"
#include "cpu/loops/attention_rows.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
Acceptance TiledAttention::accepts(const Node& node) {
  for (size_t i : {0, 1, 2})
    if (dtype(node.input(i)) != DType::kFloat32) return Acceptance::decline("not float32");
  if (node.has_output(3)) return Acceptance::decline("the scores are an output");
  if (node.has_input(3) && dtype(node.input(3)) != DType::kFloat32 && dtype(node.input(3)) != DType::kBool)
    return Acceptance::decline("the mask is neither bool nor float32");
  return {};
}

TiledAttention::TiledAttention(const Node& node)
    : s_(node), scale_(static_cast<float>(s_.attributes.scale_for(s_.head))) {
  if (s_.head > kMaxHeadSize || s_.v_head > kMaxHeadSize) throw provider::Declined{"the heads are too large"};
  packs_ = s_.kv_heads > 0 && s_.q_length * s_.group() >= 8 && s_.q_length > 1;
  if (node.has_input(3)) mask_ = dtype(node.input(3));
}

int64_t TiledAttention::k_floats() const { return packed_key_floats(s_.head, s_.total); }
int64_t TiledAttention::v_floats() const { return packed_value_floats(s_.v_head, s_.total); }

size_t TiledAttention::scratch_bytes() const {
  if (!packs_) return 0;
  return static_cast<size_t>(
      base::checked_mul(base::checked_mul(s_.batch, s_.kv_heads), (k_floats() + v_floats()) * 4));
}

const float* TiledAttention::key(const RunContext& context, int64_t b, int64_t h, int64_t j) const {
  return j < s_.past ? context.in<float>(4) + s_.past_at(b, h, j, s_.head)
                     : context.in<float>(1) + s_.k_at(b, h, j - s_.past);
}
const float* TiledAttention::value(const RunContext& context, int64_t b, int64_t h, int64_t j) const {
  return j < s_.past ? context.in<float>(5) + s_.past_at(b, h, j, s_.v_head)
                     : context.in<float>(2) + s_.v_at(b, h, j - s_.past);
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
  const int64_t tile_floats = panel_floats(kKeyTile, s_.v_head);
  for (int64_t tile = 0; tile * kKeyTile < s_.total; ++tile) {
    const int64_t rows = std::min(kKeyTile, s_.total - tile * kKeyTile);
    float* to = values + tile * tile_floats;
    for (int64_t r = 0; r < rows; ++r) {
      const float* from = value(context, b, h, tile * kKeyTile + r);
      for (int64_t e = 0; e < s_.v_head; e += kPanel) {
        const int64_t columns = std::min(kPanel, s_.v_head - e);
        float* row = to + e * rows + r * kPanel;
        std::copy_n(from + e, columns, row);
        std::fill_n(row + columns, kPanel - columns, 0.0f);
      }
    }
  }
}

// One query head of a batch entry, as attention_rows.h wants it.
struct TiledAttention::View {
  const TiledAttention& kernel;
  const RunContext& context;
  int64_t b, h, kv, valid;

  View(const TiledAttention& kernel_, const RunContext& context_, int64_t b_, int64_t h_)
      : kernel(kernel_),
        context(context_),
        b(b_),
        h(h_),
        kv(h_ / kernel_.s_.group()),
        valid(valid_keys(kernel_.s_, context_, b_)) {}

  const AttentionShape& s() const { return kernel.s_; }
  int64_t size() const { return s().head; }
  int64_t value_size() const { return s().v_head; }
  int64_t count() const { return s().total; }
  const float* key(int64_t j) const { return kernel.key(context, b, kv, j); }
  const float* value(int64_t j) const { return kernel.value(context, b, kv, j); }
  void query(int64_t i, float* out) const {
    row_scale(context.in<float>(0) + s().q_at(b, h, i), kernel.scale_, out, s().head);
  }
  int64_t first(int64_t i) const { return s().visible(i, valid, context.has_input(6)).first; }
  int64_t last(int64_t i) const { return s().visible(i, valid, context.has_input(6)).last; }
  void start(int64_t, RunningSoftmax&) const {}
  float* result(int64_t i) const { return context.out<float>(0) + s().y_at(b, h, i); }

  void adjust(int64_t i, int64_t j, int64_t n, float* scores) const {
    cap_scores(s().attributes.softcap, n, scores);
    const auto range = s().visible(i, valid, context.has_input(6));
    const int64_t begin = std::clamp<int64_t>(range.first - j, 0, n),
                  end = std::clamp<int64_t>(range.last - j, begin, n);
    if (kernel.mask_ != DType::kNone && begin < end) {
      const int64_t at = s().mask_at(b, h, i, j);
      if (kernel.mask_ == DType::kBool) {
        const bool* mask = context.in<bool>(3) + at;
        for (int64_t k = begin; k < end; ++k) scores[k] = mask[k] ? scores[k] : kMaskedScore;
      } else {
        const float* mask = context.in<float>(3) + at;
        for (int64_t k = begin; k < end; ++k) scores[k] = mask[k] == kMaskedScore ? kMaskedScore : scores[k] + mask[k];
      }
    }
    mask_outside(range.first, range.last, j, n, scores);
  }
};

void TiledAttention::run(RunContext& context) const {
  write_present(context, s_);
  if (s_.q_heads == 0 || s_.q_length == 0) return;
  for (int64_t b = 0; b < s_.batch; ++b) valid_keys(s_, context, b);  // refuses bad lengths once
  if (!packs_) {
    parallel_polled(context, s_.batch * s_.q_heads * s_.q_length, s_.total * (s_.head + s_.v_head) / 4,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t i = item % s_.q_length, h = item / s_.q_length % s_.q_heads,
                                      b = item / s_.q_length / s_.q_heads;
                        attend_one(View(*this, context, b, h), i);
                      }
                    });
    return;
  }
  float* keys = static_cast<float*>(context.scratch());
  float* values = keys + s_.batch * s_.kv_heads * k_floats();
  parallel_polled(
      context, s_.batch * s_.kv_heads, s_.total * (s_.head + s_.v_head) * 4, [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; ++item)
          pack(context, item / s_.kv_heads, item % s_.kv_heads, keys + item * k_floats(), values + item * v_floats());
      });
  const int64_t blocks = (s_.q_length + kQueryBlock - 1) / kQueryBlock;
  parallel_polled(context, s_.batch * s_.q_heads * blocks, kQueryBlock * s_.total * (s_.head + s_.v_head) / 8,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t item = begin; item < end; ++item) {
                      const int64_t first = item % blocks * kQueryBlock, h = item / blocks % s_.q_heads,
                                    b = item / blocks / s_.q_heads;
                      const int64_t kv = b * s_.kv_heads + h / s_.group();
                      attend_block(View(*this, context, b, h), first, std::min(kQueryBlock, s_.q_length - first),
                                   keys + kv * k_floats(), values + kv * v_floats());
                    }
                  });
}

}  // namespace onnxrun::cpu
