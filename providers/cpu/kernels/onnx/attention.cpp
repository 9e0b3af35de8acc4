// Attention: float32 over tiles of keys with a running softmax, and the plain equations for every type.
#include "cpu/loops/attention.h"

#include <cmath>
#include <limits>

#include "base/checked.h"
#include "cpu/loops/attention_tiled.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

// One query at a time in double.
class Reference {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Reference(const Node& node)
      : s_(node),
        load_q_(scalar_load(dtype(node.input(0)))),
        load_v_(scalar_load(dtype(node.input(2)))),
        save_(scalar_save(dtype(node.input(0)))) {
    if (node.has_input(3)) {
      load_mask_ = scalar_load(dtype(node.input(3)));
      boolean_mask_ = dtype(node.input(3)) == DType::kBool;
    }
  }

  size_t scratch_bytes() const {
    return static_cast<size_t>(
        base::checked_mul(base::checked_mul(base::checked_mul(s_.batch, s_.q_heads), s_.total), sizeof(double)));
  }

  void run(RunContext& context) const {
    write_present(context, s_);
    if (s_.q_length == 0) return;
    double* scratch = static_cast<double*>(context.scratch());
    parallel_polled(context, s_.batch * s_.q_heads, Cost(s_.q_length) * s_.total * (Cost(s_.head) + s_.v_head) * 4,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t b = item / s_.q_heads;
                        const int64_t valid = valid_keys(s_, context, b);
                        for (int64_t i = 0; i < s_.q_length && !context.cancelled(); ++i)
                          query(context, b, item % s_.q_heads, i, valid, scratch + item * s_.total);
                      }
                    });
    context.check_cancelled();
  }

 private:
  // Element e of key or value j: from the past or from the input.
  double key(RunContext& context, int64_t b, int64_t h, int64_t j, int64_t e) const {
    return j < s_.past ? load_q_(context.input(4).data, s_.past_at(b, h, j, s_.head) + e)
                       : load_q_(context.input(1).data, s_.k_at(b, h, j - s_.past) + e);
  }
  double value(RunContext& context, int64_t b, int64_t h, int64_t j, int64_t e) const {
    return j < s_.past ? load_v_(context.input(5).data, s_.past_at(b, h, j, s_.v_head) + e)
                       : load_v_(context.input(2).data, s_.v_at(b, h, j - s_.past) + e);
  }

  void query(RunContext& context, int64_t b, int64_t h, int64_t i, int64_t valid, double* scores) const {
    const int64_t kv = h / s_.group();
    const double scale = s_.attributes.scale_for(s_.head), cap = static_cast<double>(s_.attributes.softcap);
    const auto keep = [&](int64_t mode) {
      if (s_.attributes.qk_output != mode || !context.has_output(3)) return;
      for (int64_t j = 0; j < s_.total; ++j)
        save_(context.output(3).data, ((b * s_.q_heads + h) * s_.q_length + i) * s_.total + j, scores[j]);
    };
    for (int64_t j = 0; j < s_.total; ++j) {
      double sum = 0;
      for (int64_t e = 0; e < s_.head; ++e)
        sum += load_q_(context.input(0).data, s_.q_at(b, h, i) + e) * key(context, b, kv, j, e);
      scores[j] = sum * scale;
    }
    keep(0);
    if (cap > 0)
      for (int64_t j = 0; j < s_.total; ++j) scores[j] = cap * std::tanh(scores[j] / cap);
    keep(1);
    const auto range = s_.visible(i, valid, context.has_input(6));
    bool seen = false;
    for (int64_t j = 0; j < s_.total; ++j) {
      double bias = j < range.first || j >= range.last ? kMasked : 0.0;
      if (bias == 0 && load_mask_ != nullptr) {
        bias = load_mask_(context.input(3).data, s_.mask_at(b, h, i, j));
        if (boolean_mask_) bias = bias != 0 ? 0.0 : kMasked;
      }
      seen |= bias != kMasked;
      scores[j] = bias == kMasked ? kMasked : scores[j] + bias;
    }
    keep(2);
    double largest = kMasked, total = 0;
    for (int64_t j = 0; j < s_.total; ++j)
      largest = scores[j] > largest || scores[j] != scores[j] ? scores[j] : largest;
    for (int64_t j = 0; j < s_.total; ++j) {
      scores[j] = seen && scores[j] != kMasked ? std::exp(scores[j] - largest) : 0.0;
      total += scores[j];
    }
    for (int64_t j = 0; j < s_.total && total != 0; ++j) scores[j] /= total;
    keep(3);
    for (int64_t e = 0; e < s_.v_head; ++e) {
      double sum = 0;
      for (int64_t j = 0; j < s_.total; ++j)
        if (scores[j] != 0) sum += scores[j] * value(context, b, kv, j, e);
      save_(context.output(0).data, s_.y_at(b, h, i) + e, sum);
    }
  }

  AttentionShape s_;
  Load load_q_, load_v_, load_mask_ = nullptr;
  Save save_;
  bool boolean_mask_ = false;
};

}  // namespace

void kernels_onnx_attention(provider::KernelTable& table) {
  table.add<TiledAttention>("", "Attention", "tiled");
  table.add<Widened<TiledAttention>>("", "Attention", "widened");
  table.add<Reference>("", "Attention", "reference");
}

}  // namespace onnxrun::cpu
