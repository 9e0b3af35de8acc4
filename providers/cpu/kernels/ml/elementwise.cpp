// Binarizer, Imputer and Scaler: one element at a time, some with a parameter for each feature.
#include <cmath>
#include <limits>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/table_bytes.h"

namespace onnxrun::cpu {
namespace {

using Numbers = Types<float, double, int64_t, int32_t>;

// Calls body(begin, end, x) in parallel over the elements of input 0 as their type.
template <class F>
void each_element(RunContext& context, F&& body) {
  dispatch(Numbers{}, dtype(context.input(0)), [&]<class T>(std::type_identity<T>) {
    parallel_polled(context, provider::count(context.input(0)), 2 * sizeof(T),
                    [&](int64_t begin, int64_t end) { body(begin, end, context.in<T>(0)); });
  });
}

// Columns of the last axis, in which parameters repeat.
int64_t last_dim(const Node& node) { return provider::dims(node.input(0)).back(); }

class Binarizer {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Binarizer(const Node& node) : threshold_(node.get_float("threshold", 0)) {}

  void run(RunContext& context) const {
    each_element(context, [&]<class T>(int64_t begin, int64_t end, const T* x) {
      T* y = context.out<T>(0);
      if constexpr (std::is_floating_point_v<T>) {
        for (int64_t i = begin; i < end; ++i) y[i] = x[i] > static_cast<T>(threshold_) ? T(1) : T(0);
      } else {
        // x > t is x > floor(t), whose comparison is exact; beyond T's range all or none are above.
        const double floor = std::floor(static_cast<double>(threshold_));
        constexpr double kEnd = -static_cast<double>(std::numeric_limits<T>::min());
        const bool none = !(floor < kEnd), all = floor < -kEnd;
        const T limit = none || all ? T(0) : static_cast<T>(floor);
        for (int64_t i = begin; i < end; ++i) y[i] = !none && (all || x[i] > limit) ? T(1) : T(0);
      }
    });
  }

 private:
  float threshold_;
};

class Imputer {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Imputer(const Node& node)
      : columns_(last_dim(node)),
        floats_(node.get_floats("imputed_value_floats")),
        ints_(node.get_ints("imputed_value_int64s")),
        old_float_(node.get_float("replaced_value_float", 0)),
        old_int_(node.get_int("replaced_value_int64", 0)) {
    charge_tables(*this);
  }
  size_t table_bytes() const { return bytes_outside_of(floats_, ints_); }

  void run(RunContext& context) const {
    each_element(context, [&]<class T>(int64_t begin, int64_t end, const T* x) {
      T* y = context.out<T>(0);
      if constexpr (std::is_floating_point_v<T>) {
        const T old = static_cast<T>(old_float_);
        if (std::isnan(old_float_)) replace(x, y, begin, end, floats_, [](T value) { return std::isnan(value); });
        else replace(x, y, begin, end, floats_, [old](T value) { return value == old; });
      } else {
        replace(x, y, begin, end, ints_, [old = old_int_](T value) { return static_cast<int64_t>(value) == old; });
      }
    });
  }

 private:
  template <class T, class V, class F>
  void replace(const T* x, T* y, int64_t begin, int64_t end, const std::vector<V>& values, F&& missing) const {
    const bool single = values.size() == 1;
    for (int64_t i = begin; i < end; ++i)
      y[i] = missing(x[i]) ? static_cast<T>(values[single ? 0 : static_cast<size_t>(i % columns_)]) : x[i];
  }

  int64_t columns_;
  std::vector<float> floats_;
  std::vector<int64_t> ints_;
  float old_float_;
  int64_t old_int_;
};

class Scaler {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Scaler(const Node& node)
      : columns_(last_dim(node)),
        offset_(per_column(node.get_floats("offset"), 0)),
        scale_(per_column(node.get_floats("scale"), 1)) {
    charge_tables(*this);
  }
  size_t table_bytes() const { return bytes_outside_of(offset_, scale_); }

  void run(RunContext& context) const {
    if (provider::count(context.input(0)) == 0) return;
    dispatch(Numbers{}, dtype(context.input(0)), [&]<class T>(std::type_identity<T>) {
      // float32 arithmetic, but for float64 and integers that float32 cannot hold.
      using Work = std::conditional_t<std::is_same_v<T, float>, float, double>;
      const T* x = context.in<T>(0);
      float* y = context.out<float>(0);
      parallel_polled(context, provider::count(context.input(0)) / columns_,
                      Cost(columns_) * 2 * static_cast<int64_t>(sizeof(T)), [&](int64_t begin, int64_t end) {
                        for (int64_t row = begin; row < end; ++row)
                          for (int64_t k = 0; k < columns_; ++k) {
                            y[row * columns_ + k] = static_cast<float>((static_cast<Work>(x[row * columns_ + k]) -
                                                                        static_cast<Work>(offset_[at(offset_, k)])) *
                                                                       static_cast<Work>(scale_[at(scale_, k)]));
                          }
                      });
    });
  }

 private:
  // Of each column, or one for all.
  static std::vector<float> per_column(std::vector<float> values, float fallback) {
    return values.empty() ? std::vector<float>{fallback} : std::move(values);
  }

  static size_t at(const std::vector<float>& values, int64_t column) {
    return values.size() == 1 ? 0 : static_cast<size_t>(column);
  }

  int64_t columns_;
  std::vector<float> offset_, scale_;
};

}  // namespace

void kernels_ml_elementwise(provider::KernelTable& table) {
  table.add<Binarizer>("ai.onnx.ml", "Binarizer", "reference");
  table.add<Imputer>("ai.onnx.ml", "Imputer", "reference");
  table.add<Scaler>("ai.onnx.ml", "Scaler", "reference");
}

}  // namespace onnxrun::cpu
