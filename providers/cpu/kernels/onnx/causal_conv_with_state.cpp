// CausalConvWithState, one channel after the other.
#include <algorithm>
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class CausalConvWithState {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit CausalConvWithState(const Node& node)
      : type_(dtype(node.input(0))), silu_(node.get_string("activation", "none") != "none") {
    const auto x = provider::dims(node.input(0));
    batch_ = x[0];
    channels_ = x[1];
    length_ = x[2];
    carried_ = provider::dims(node.input(1))[2] - 1;
  }

  void run(RunContext& context) const {
    dispatch(Types<float, Float16, Bfloat16>(), type_, [&]<class T>(std::type_identity<T>) {
      parallel_polled(context, batch_ * channels_, (Cost(length_) + carried_) * (Cost(carried_) + 1) * 4,
                      [&](int64_t begin, int64_t end) {
                        for (int64_t row = begin; row < end; ++row) channel<T>(context, row);
                      });
    });
  }

 private:
  template <class T>
  void channel(RunContext& context, int64_t row) const {
    const T* x = context.in<T>(0) + row * length_;
    const T* past = context.has_input(3) ? context.in<T>(3) + row * carried_ : nullptr;
    const T* weight = context.in<T>(1) + row % channels_ * (carried_ + 1);
    const float bias = context.has_input(2) ? static_cast<float>(context.in<T>(2)[row % channels_]) : 0.0f;
    // Element t of the past followed by the input.
    const auto at = [&](int64_t t) {
      if (t >= carried_) return x[t - carried_];
      return past != nullptr ? past[t] : static_cast<T>(0.0f);
    };
    T* y = context.out<T>(0) + row * length_;
    Pacer pacer(context);
    for (int64_t t = 0; t < length_; ++t) {
      pacer.did(carried_ + 1);
      float sum = bias;
      for (int64_t i = 0; i <= carried_; ++i) sum += static_cast<float>(weight[i]) * static_cast<float>(at(t + i));
      if (silu_) sum = sum / (1.0f + std::exp(-sum));
      y[t] = static_cast<T>(sum);
    }
    if (!context.has_output(1)) return;
    T* present = context.out<T>(1) + row * carried_;
    for (int64_t i = 0; i < carried_; ++i) present[i] = at(length_ + i);
  }

  DType type_;
  bool silu_;
  int64_t batch_ = 0, channels_ = 0, length_ = 0, carried_ = 0;
};

}  // namespace

void kernels_onnx_causal_conv_with_state(provider::KernelTable& table) {
  table.add<CausalConvWithState>("", "CausalConvWithState", "reference");
}

}  // namespace onnxrun::cpu
