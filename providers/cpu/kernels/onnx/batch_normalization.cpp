// BatchNormalization, for inference and training.
#include <algorithm>
#include <cmath>

#include "cpu/loops/polled.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class BatchNormalization {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance acceptance;
    if (dtype(node.input(0)) == dtype(node.output(0)) && node.get_int("training_mode", 0) == 0) acceptance.alias(0, 0);
    return acceptance;
  }
  explicit BatchNormalization(const Node& node)
      : work_(work_float(node, 5)),
        operands_(node, 5, 3, work_),
        epsilon_(static_cast<double>(node.get_float("epsilon", 1e-5f))),
        momentum_(static_cast<double>(node.get_float("momentum", 0.9f))),
        training_(node.get_int("training_mode", 0) != 0) {
    const auto dims = provider::dims(node.input(0));
    batch_ = dims[0];
    if (dims.size() > 1) channels_ = dims[1];
    for (size_t d = 2; d < dims.size(); ++d) size_ *= dims[d];
  }
  size_t scratch_bytes() const {
    return operands_.scratch_bytes() + (training_ ? 2 * sizeof(double) * static_cast<size_t>(channels_) : 0);
  }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      if (training_) train<T>(context, arrays);
      else normalise<T>(context, arrays, arrays.template in<T>(3), arrays.template in<T>(4));
    });
    operands_.store(context, arrays);
  }

 private:
  template <class T, class S>
  void normalise(RunContext& context, const WorkOperands::Arrays& arrays, const S* mean, const S* variance) const {
    const T *x = arrays.template in<T>(0), *scale = arrays.template in<T>(1), *bias = arrays.template in<T>(2);
    T* y = arrays.template out<T>(0);
    parallel_polled(context, batch_ * channels_, Cost(size_) * static_cast<int64_t>(2 * sizeof(T)),
                    [&](int64_t begin, int64_t end) {
                      for (int64_t plane = begin; plane < end; ++plane) {
                        const int64_t c = plane % channels_;
                        const T factor = static_cast<T>(static_cast<double>(scale[c]) /
                                                        std::sqrt(static_cast<double>(variance[c]) + epsilon_));
                        const T middle = static_cast<T>(mean[c]), add = bias[c];
                        const T* from = x + plane * size_;
                        T* to = y + plane * size_;
                        for (int64_t i = 0; i < size_; ++i) to[i] = (from[i] - middle) * factor + add;
                      }
                    });
  }

  template <class T>
  void train(RunContext& context, const WorkOperands::Arrays& arrays) const {
    const T* x = arrays.template in<T>(0);
    double* mean = reinterpret_cast<double*>(static_cast<char*>(context.scratch()) + operands_.scratch_bytes());
    double* variance = mean + channels_;
    const double count = static_cast<double>(batch_ * size_);
    parallel_polled(context, channels_, Cost(batch_) * size_ * 16, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        double sum = 0, squares = 0;
        const auto each = [&](auto f) {
          for (int64_t n = 0; n < batch_; ++n)
            for (int64_t i = 0; i < size_; ++i) f(static_cast<double>(x[(n * channels_ + c) * size_ + i]));
        };
        each([&](double v) { sum += v; });
        mean[c] = sum / count;
        each([&](double v) { squares += (v - mean[c]) * (v - mean[c]); });
        variance[c] = squares / count;
      }
    });
    normalise<T>(context, arrays, static_cast<const double*>(mean), static_cast<const double*>(variance));
    const double* now[] = {mean, variance};
    for (size_t k = 0; k < 2; ++k) {
      T* running = arrays.template out<T>(k + 1);
      const T* before = arrays.template in<T>(k + 3);
      if (running == nullptr) continue;
      for (int64_t c = 0; c < channels_; ++c)
        running[c] = static_cast<T>(static_cast<double>(before[c]) * momentum_ + now[k][c] * (1 - momentum_));
    }
  }

  DType work_;
  WorkOperands operands_;
  double epsilon_, momentum_;
  bool training_;
  int64_t batch_ = 0, channels_ = 1, size_ = 1;
};

}  // namespace

void kernels_onnx_batch_normalization(provider::KernelTable& table) {
  table.add<BatchNormalization>("", "BatchNormalization", "reference");
}

}  // namespace onnxrun::cpu
