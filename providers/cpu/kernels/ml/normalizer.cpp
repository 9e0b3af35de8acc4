// Normalizer: rows divided by their largest magnitude, their sum of magnitudes or their length; rows without either stay as they are.
#include <algorithm>
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class Normalizer {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Normalizer(const Node& node) : length_(provider::dims(node.input(0)).back()) {
    const std::string norm = node.get_string("norm", "MAX");
    if (norm == "L1") norm_ = Norm::kSum;
    if (norm == "L2") norm_ = Norm::kLength;
  }

  void run(RunContext& context) const {
    if (provider::count(context.input(0)) == 0) return;
    dispatch(Types<float, double, int64_t, int32_t>{}, dtype(context.input(0)), [&]<class T>(std::type_identity<T>) {
      parallel_polled(context, provider::count(context.input(0)) / length_,
                      Cost(length_) * 2 * static_cast<int64_t>(sizeof(T)), [&](int64_t begin, int64_t end) {
                        for (int64_t row = begin; row < end; ++row)
                          normalize(context.in<T>(0) + row * length_, context.out<float>(0) + row * length_);
                      });
    });
  }

 private:
  enum class Norm { kLargest, kSum, kLength };

  template <class T>
  double divisor(const T* x) const {
    double result = 0;
    for (int64_t i = 0; i < length_; ++i) {
      const auto value = static_cast<double>(x[i]);
      if (norm_ == Norm::kLength) result += value * value;
      else if (norm_ == Norm::kSum) result += std::abs(value);
      else result = std::abs(value) > result || std::isnan(value) ? std::abs(value) : result;
    }
    return norm_ == Norm::kLength ? std::sqrt(result) : result;
  }

  template <class T>
  void normalize(const T* x, float* y) const {
    const double by = divisor(x);
    for (int64_t i = 0; i < length_; ++i)
      y[i] = static_cast<float>(by == 0 ? static_cast<double>(x[i]) : static_cast<double>(x[i]) / by);
  }

  Norm norm_ = Norm::kLargest;
  int64_t length_;
};

}  // namespace

void kernels_ml_normalizer(provider::KernelTable& table) {
  table.add<Normalizer>("ai.onnx.ml", "Normalizer", "reference");
}

}  // namespace onnxrun::cpu
