// Float32 attention over tiles of keys.
#include "cpu/loops/attention_tiled.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "cpu/kernels/simd/narrow_floats.h"
#include "cpu/loops/attention_rows.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

constexpr float kMostScale = 1 << 16;

}  // namespace

Acceptance TiledAttention::accepts(const Node& node) {
  for (size_t i : {0, 1, 2})
    if (dtype(node.input(i)) != DType::kFloat32) return Acceptance::decline("not float32");
  if (node.has_output(3)) return Acceptance::decline("the scores are an output");
  if (node.has_input(3) && dtype(node.input(3)) != DType::kFloat32 && dtype(node.input(3)) != DType::kBool)
    return Acceptance::decline("the mask is neither bool nor float32");
  // Queries are multiplied with it first, so that an infinity of theirs comes of products that were finite.
  if (!(std::abs(node.get_float("scale", 0)) <= kMostScale)) return Acceptance::decline("so large a scale");
  return {};
}

TiledAttention::TiledAttention(const Node& node)
    : s_(node), scale_(static_cast<float>(s_.attributes.scale_for(s_.head))) {
  if (s_.head > kMaxHeadSize || s_.v_head > kMaxHeadSize) throw provider::Declined{"the heads are too large"};
  packs_ = s_.kv_heads > 0 && s_.q_length * s_.group() >= 8 && s_.q_length > 1;
  pairs_ = node.precision() == ONNXRUN_PRECISION_MEDIUM && multiplies_pairs();
  if (packs_ && AttentionParts::pays(s_.q_length, s_.head, s_.v_head, s_.total, node.precision()))
    parts_ = AttentionParts(s_.head, s_.v_head, s_.total, pairs_ ? 1 : parts_of_products(node.precision()));
  if (node.has_input(3)) mask_ = dtype(node.input(3));
}

size_t TiledAttention::scratch_bytes() const {
  if (!packs_) return 0;
  if (parts_) return static_cast<size_t>(base::checked_mul(base::checked_mul(s_.batch, s_.kv_heads), parts_.bytes()));
  const int64_t elements = pairs_ ? packed_key_floats<Bfloat16Pair>(s_.head, s_.total) +
                                        packed_value_floats<Bfloat16Pair>(s_.v_head, s_.total)
                                  : packed_key_floats(s_.head, s_.total) + packed_value_floats(s_.v_head, s_.total);
  return static_cast<size_t>(base::checked_mul(base::checked_mul(s_.batch, s_.kv_heads), elements * 4));
}

const float* TiledAttention::key(const RunContext& context, int64_t b, int64_t h, int64_t j) const {
  return j < s_.past ? context.in<float>(4) + s_.past_at(b, h, j, s_.head)
                     : context.in<float>(1) + s_.k_at(b, h, j - s_.past);
}
const float* TiledAttention::value(const RunContext& context, int64_t b, int64_t h, int64_t j) const {
  return j < s_.past ? context.in<float>(5) + s_.past_at(b, h, j, s_.v_head)
                     : context.in<float>(2) + s_.v_at(b, h, j - s_.past);
}

namespace {

// The same in pairs as of floats in attention_rows.h.
void put_column(const float* from, int64_t size, Bfloat16Pair* panel, int64_t lane) {
  Bfloat16Pair pairs[(kMaxHeadSize + 1) / 2];
  pack_row(from, size, pairs);
  for (int64_t e = 0; e < panel_depth<Bfloat16Pair>(size); ++e) panel[e * kPanel + lane] = pairs[e];
}

// An even row leaves zeros for the one that may follow.
void put_row(const float* from, int64_t columns, Bfloat16Pair* panel, int64_t row) {
  base::Bfloat16 rounded[kPanel];
  simd::convert(from, rounded, columns);
  Bfloat16Pair* to = panel + row / 2 * kPanel;
  if (row % 2 == 0) {
    const base::Bfloat16 zero(0.0f);
    for (int64_t e = 0; e < columns; ++e) to[e] = {rounded[e], zero};
    std::fill(to + columns, to + kPanel, Bfloat16Pair{zero, zero});
  } else {
    for (int64_t e = 0; e < columns; ++e) to[e].second = rounded[e];
  }
}

}  // namespace

// Keys as columns of panels, values as rows of panels, tile by tile.
template <class Element>
void TiledAttention::pack(const RunContext& context, int64_t b, int64_t h, Element* keys, Element* values) const {
  const int64_t depth = panel_depth<Element>(s_.head);
  const int64_t whole = s_.total / kPanel * kPanel * depth;
  std::fill(keys + whole, keys + packed_key_floats<Element>(s_.head, s_.total), Element{});
  for (int64_t j = 0; j < s_.total; ++j)
    put_column(key(context, b, h, j), s_.head, keys + j / kPanel * kPanel * depth, j % kPanel);
  const int64_t tile_floats = panel_floats(panel_depth<Element>(kKeyTile), s_.v_head);
  for (int64_t tile = 0; tile * kKeyTile < s_.total; ++tile) {
    const int64_t rows = std::min(kKeyTile, s_.total - tile * kKeyTile);
    Element* to = values + tile * tile_floats;
    for (int64_t r = 0; r < rows; ++r) {
      const float* from = value(context, b, h, tile * kKeyTile + r);
      for (int64_t e = 0; e < s_.v_head; e += kPanel)
        put_row(from + e, std::min(kPanel, s_.v_head - e), to + e * panel_depth<Element>(rows), r);
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
  if (provider::count(context.output(0)) == 0) return;
  for (int64_t b = 0; b < s_.batch; ++b) valid_keys(s_, context, b);  // refuses bad lengths once
  if (!packs_) {
    parallel_polled(context, s_.batch * s_.q_heads * s_.q_length, s_.total * (Cost(s_.head) + s_.v_head) / 4,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t i = item % s_.q_length, h = item / s_.q_length % s_.q_heads,
                                      b = item / s_.q_length / s_.q_heads;
                        attend_one(View(*this, context, b, h), i);
                      }
                    });
    return;
  }
  if (parts_) run_parts(context);
  else if (pairs_) run_blocks<Bfloat16Pair>(context);
  else run_blocks<float>(context);
}

void TiledAttention::run_parts(RunContext& context) const {
  char* packed = static_cast<char*>(context.scratch());
  parallel_polled(context, s_.batch * s_.kv_heads, s_.total * (Cost(s_.head) + s_.v_head) * 4,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t item = begin; item < end; ++item) {
                      const int64_t b = item / s_.kv_heads, h = item % s_.kv_heads;
                      parts_.pack([&](int64_t j) { return key(context, b, h, j); },
                                  [&](int64_t j) { return value(context, b, h, j); }, packed + item * parts_.bytes());
                    }
                  });
  // About as large as each other.
  const int64_t blocks = base::ceil_div(s_.q_length, AttentionParts::kQueries);
  parallel_polled(
      context, s_.batch * s_.q_heads * blocks,
      AttentionParts::kQueries * Cost(s_.total) * (Cost(s_.head) + s_.v_head) / 16, [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; ++item) {
          const int64_t block = item % blocks, h = item / blocks % s_.q_heads, b = item / blocks / s_.q_heads;
          const int64_t first = block * s_.q_length / blocks, last = (block + 1) * s_.q_length / blocks;
          const int64_t kv = b * s_.kv_heads + h / s_.group();
          const View view(*this, context, b, h);
          attend_block(view, first, last - first, PartProducts(view, parts_, packed + kv * parts_.bytes()));
        }
      });
}

template <class Element>
void TiledAttention::run_blocks(RunContext& context) const {
  const int64_t key_elements = packed_key_floats<Element>(s_.head, s_.total),
                value_elements = packed_value_floats<Element>(s_.v_head, s_.total);
  Element* keys = static_cast<Element*>(context.scratch());
  Element* values = keys + s_.batch * s_.kv_heads * key_elements;
  parallel_polled(context, s_.batch * s_.kv_heads, s_.total * (Cost(s_.head) + s_.v_head) * 4,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t item = begin; item < end; ++item)
                      pack(context, item / s_.kv_heads, item % s_.kv_heads, keys + item * key_elements,
                           values + item * value_elements);
                  });
  const int64_t blocks = (s_.q_length + kQueryBlock - 1) / kQueryBlock;
  parallel_polled(context, s_.batch * s_.q_heads * blocks,
                  kQueryBlock * Cost(s_.total) * (Cost(s_.head) + s_.v_head) / 8, [&](int64_t begin, int64_t end) {
                    for (int64_t item = begin; item < end; ++item) {
                      const int64_t first = item % blocks * kQueryBlock, h = item / blocks % s_.q_heads,
                                    b = item / blocks / s_.q_heads;
                      const int64_t kv = b * s_.kv_heads + h / s_.group();
                      const View view(*this, context, b, h);
                      attend_block(
                          view, first, std::min(kQueryBlock, s_.q_length - first),
                          PanelProducts<Element>(view, keys + kv * key_elements, values + kv * value_elements));
                    }
                  });
}

}  // namespace onnxrun::cpu
