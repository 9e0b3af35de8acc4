// LinearAttention, step by step with the state in float32.
#include <algorithm>
#include <cmath>
#include <string>

#include "base/checked.h"
#include "cpu/cpu.h"
#include "cpu/loops/float_runs.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

class LinearAttention {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit LinearAttention(const Node& node) {
    const auto q = provider::dims(node.input(0)), v = provider::dims(node.input(2));
    batch_ = q[0];
    length_ = q[1];
    q_heads_ = node.get_int("q_num_heads", 1);
    kv_heads_ = node.get_int("kv_num_heads", 1);
    d_k_ = q[2] / q_heads_;
    d_v_ = v[2] / kv_heads_;
    const std::string rule = node.get_string("update_rule", "gated_delta");
    gated_ = rule == "gated" || rule == "gated_delta";
    delta_ = rule == "delta" || rule == "gated_delta";
    if (gated_) decay_per_key_ = provider::dims(node.input(4))[2] != kv_heads_;
    if (delta_) beta_heads_ = provider::dims(node.input(5))[2];
    const float scale = node.get_float("scale", 0);
    scale_ = scale != 0 ? scale : static_cast<float>(1.0 / std::sqrt(static_cast<double>(d_k_)));
  }

  size_t scratch_bytes() const {
    return static_cast<size_t>(base::checked_mul(base::checked_mul(batch_ * kv_heads_, floats()), sizeof(float)));
  }

  void run(RunContext& context) const {
    float* scratch = static_cast<float*>(context.scratch());
    parallel_polled(context, batch_ * kv_heads_, Cost(length_) * d_k_ * d_v_ * 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item)
        head(context, item / kv_heads_, item % kv_heads_, scratch + item * floats());
    });
    context.check_cancelled();
  }

 private:
  int64_t floats() const { return d_k_ * d_v_ + 3 * d_k_ + 3 * d_v_ + 1; }  // a head of no elements still has a decay

  static void read(const onnxrun_tensor& tensor, int64_t first, int64_t count, float* to) {
    read_floats(dtype(tensor), tensor.data, first, count, to);
  }

  void head(RunContext& context, int64_t b, int64_t h, float* state) const {
    float *k = state + d_k_ * d_v_, *q = k + d_k_, *decay = q + d_k_, *v = decay + d_k_, *seen = v + d_v_,
          *out = seen + d_v_;
    const int64_t state_at = (b * kv_heads_ + h) * d_k_ * d_v_;
    if (context.has_input(3)) read(context.input(3), state_at, d_k_ * d_v_, state);
    else std::fill_n(state, d_k_ * d_v_, 0.0f);
    const bool nothing = d_k_ == 0 && d_v_ == 0;
    for (int64_t t = 0; t < length_ && !nothing; ++t) {
      if (context.cancelled()) return;
      const int64_t step = b * length_ + t;
      read(context.input(1), (step * kv_heads_ + h) * d_k_, d_k_, k);
      read(context.input(2), (step * kv_heads_ + h) * d_v_, d_v_, v);
      if (gated_) fade(context.input(4), step, h, decay, state);
      if (delta_) correct(context.input(5), step, h, k, state, seen, v);
      for (int64_t i = 0; i < d_k_; ++i) row_functions().add_scaled(v, k[i], state + i * d_v_, d_v_);
      const int64_t group = q_heads_ / kv_heads_;
      for (int64_t r = h * group; r < (h + 1) * group; ++r) {
        read(context.input(0), (step * q_heads_ + r) * d_k_, d_k_, q);
        std::fill_n(out, d_v_, 0.0f);
        for (int64_t i = 0; i < d_k_; ++i) row_functions().add_scaled(state + i * d_v_, q[i] * scale_, out, d_v_);
        write_floats(dtype(context.output(0)), out, context.output(0).data, (step * q_heads_ + r) * d_v_, d_v_);
      }
    }
    if (context.has_output(1))
      write_floats(dtype(context.output(1)), state, context.output(1).data, state_at, d_k_ * d_v_);
  }

  // state *= e^decay, by row.
  void fade(const onnxrun_tensor& tensor, int64_t step, int64_t h, float* decay, float* state) const {
    if (decay_per_key_) read(tensor, (step * kv_heads_ + h) * d_k_, d_k_, decay);
    else {
      read(tensor, step * kv_heads_ + h, 1, decay);
      std::fill_n(decay + 1, d_k_ - 1, decay[0]);
    }
    for (int64_t i = 0; i < d_k_; ++i) row_scale(state + i * d_v_, std::exp(decay[i]), state + i * d_v_, d_v_);
  }

  // v = beta * (v - state^T k).
  void correct(const onnxrun_tensor& tensor, int64_t step, int64_t h, const float* k, const float* state, float* seen,
               float* v) const {
    float beta;
    read(tensor, step * beta_heads_ + (beta_heads_ == 1 ? 0 : h), 1, &beta);
    std::fill_n(seen, d_v_, 0.0f);
    for (int64_t i = 0; i < d_k_; ++i) row_functions().add_scaled(state + i * d_v_, k[i], seen, d_v_);
    for (int64_t j = 0; j < d_v_; ++j) v[j] = beta * (v[j] - seen[j]);
  }

  int64_t batch_, length_, q_heads_, kv_heads_, d_k_, d_v_, beta_heads_ = 1;
  bool gated_, delta_, decay_per_key_ = false;
  float scale_;
};

}  // namespace

void kernels_onnx_linear_attention(provider::KernelTable& table) {
  table.add<LinearAttention>("", "LinearAttention", "reference");
}

}  // namespace onnxrun::cpu
