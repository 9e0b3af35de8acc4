// InstanceNormalization and GroupNormalization: each group of channels of each instance is normalised, each channel scaled.
#include <algorithm>
#include <cmath>

#include "cpu/loops/moments.h"
#include "cpu/loops/rows.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

// Deviations are taken from the mean as float32 has it.
Moments moments_of(const float* x, int64_t count) {
  const double n = static_cast<double>(count), mean = row_sum(x, count) / n;
  const float center = static_cast<float>(mean);
  const double off = mean - static_cast<double>(center);
  const double variance = row_sum_squares(x, center, count) / n - off * off;
  return {mean, variance < 0 ? 0 : variance};  // what is not a number stays that
}
Moments moments_of(const double* x, int64_t count) { return moments(x, count); }

class GroupNormalization {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance acceptance;
    acceptance.alias(0, 0);
    static_cast<void>(node);
    return acceptance;
  }
  explicit GroupNormalization(const Node& node)
      : work_(work_float(node, 3)),
        operands_(node, 3, 1, work_),
        epsilon_(static_cast<double>(node.get_float("epsilon", 1e-5f))) {
    const auto dims = provider::dims(node.input(0));
    batch_ = dims[0];
    channels_ = dims[1];
    for (size_t d = 2; d < dims.size(); ++d) size_ *= dims[d];
    groups_ = node.op() == "GroupNormalization" ? node.get_int("num_groups", 1) : channels_;
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    if (batch_ * channels_ * size_ == 0) return;
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T *x = arrays.template in<T>(0), *scale = arrays.template in<T>(1), *bias = arrays.template in<T>(2);
      T* y = arrays.template out<T>(0);
      const int64_t members = channels_ / groups_;
      context.parallel(batch_ * groups_, std::max<int64_t>(1, 16384 / (members * size_)),
                       [&](int64_t begin, int64_t end) {
                         for (int64_t group = begin; group < end; ++group) {
                           if (context.cancelled()) return;
                           const T* from = x + group * members * size_;
                           const Moments m = moments_of(from, members * size_);
                           const double inverse = 1 / std::sqrt(m.variance + epsilon_);
                           for (int64_t c = 0; c < members; ++c) {
                             const int64_t channel = group % groups_ * members + c;
                             const T factor = static_cast<T>(inverse * static_cast<double>(scale[channel]));
                             const T middle = static_cast<T>(m.mean), add = bias[channel];
                             T* to = y + (group * members + c) * size_;
                             for (int64_t i = 0; i < size_; ++i) to[i] = (from[c * size_ + i] - middle) * factor + add;
                           }
                         }
                       });
      context.check_cancelled();
    });
    operands_.store(context, arrays);
  }

 private:
  DType work_;
  WorkOperands operands_;
  double epsilon_;
  int64_t batch_ = 0, channels_ = 0, size_ = 1, groups_ = 1;
};

}  // namespace

void kernels_onnx_instance_normalization(provider::KernelTable& table) {
  table.add<GroupNormalization>("", "InstanceNormalization", "reference");
  table.add<GroupNormalization>("", "GroupNormalization", "reference");
}

}  // namespace onnxrun::cpu
