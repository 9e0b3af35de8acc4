// LpNormalization and MeanVarianceNormalization.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/shape.h"
#include "cpu/loops/float_kernel.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

// Sum of f over the elements, in partial sums that compilers make vectors of.
template <class T, class F>
double sum_of(const T* x, int64_t n, F f) {
  constexpr int64_t kParts = 8;
  double parts[kParts] = {};
  int64_t i = 0;
  for (; i + kParts <= n; i += kParts)
    for (int64_t p = 0; p < kParts; ++p) parts[p] += f(static_cast<double>(x[i + p]));
  for (; i < n; ++i) parts[0] += f(static_cast<double>(x[i]));
  return ((parts[0] + parts[4]) + (parts[1] + parts[5])) + ((parts[2] + parts[6]) + (parts[3] + parts[7]));
}

class LpNormalization : public FloatKernel<LpNormalization> {
 public:
  explicit LpNormalization(const Node& node) : FloatKernel(node), first_(node.get_int("p", 2) == 1) {
    const auto dims = provider::dims(node.input(0));
    const int64_t axis = base::normalize_axis(node.get_int("axis", -1), node.input(0).rank);
    for (int64_t d = 0; d < axis; ++d) outer_ *= dims[static_cast<size_t>(d)];
    length_ = dims[static_cast<size_t>(axis)];
    for (size_t d = static_cast<size_t>(axis) + 1; d < dims.size(); ++d) inner_ *= dims[d];
  }

  template <class T>
  void compute(RunContext& context, const T* x, T* y) const {
    if (length_ == 0) return;
    const int64_t tiles = (inner_ + kTile - 1) / kTile;
    const int64_t work = (Cost(length_) * std::min(kTile, inner_)).steps();
    context.parallel(outer_ * tiles, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, work)),
                     [&](int64_t begin, int64_t end) {
                       Pacer pacer(context);
                       for (int64_t item = begin; item < end; ++item) {
                         const int64_t column = item % tiles * kTile;
                         const int64_t at = item / tiles * length_ * inner_ + column;
                         pacer.did(work);
                         if (first_) tile(x + at, y + at, inner_ - column, [](double v) { return std::abs(v); });
                         else tile(x + at, y + at, inner_ - column, [](double v) { return v * v; });
                       }
                     });
  }

 private:
  static constexpr int64_t kTile = 64;  // adjacent columns

  template <class T, class F>
  void tile(const T* x, T* y, int64_t columns, F power) const {
    double norms[kTile] = {};
    if (inner_ == 1) {
      norms[0] = norm_of<T>(sum_of(x, length_, power));
      for (int64_t i = 0; i < length_; ++i) y[i] = divided(x[i], norms[0]);
      return;
    }
    const int64_t count = std::min(kTile, columns);
    for (int64_t i = 0; i < length_; ++i)
      for (int64_t j = 0; j < count; ++j) norms[j] += power(static_cast<double>(x[i * inner_ + j]));
    for (int64_t j = 0; j < count; ++j) norms[j] = norm_of<T>(norms[j]);
    for (int64_t i = 0; i < length_; ++i)
      for (int64_t j = 0; j < count; ++j) y[i * inner_ + j] = divided(x[i * inner_ + j], norms[j]);
  }

  // What elements are multiplied with, infinity where the norm is 0: the least other norm of float32 is far from that. Of float64 what they are divided by.
  template <class T>
  double norm_of(double sum) const {
    const double norm = first_ ? sum : std::sqrt(sum);
    return std::is_same_v<T, double> ? norm : 1 / norm;
  }

  template <class T>
  static T divided(T x, double norm) {
    if constexpr (std::is_same_v<T, double>) return norm == 0 ? 0 : x / norm;
    else return norm == kOfZero ? T(0) : static_cast<T>(static_cast<double>(x) * norm);
  }

  static constexpr double kOfZero = std::numeric_limits<double>::infinity();

  bool first_;
  int64_t outer_ = 1, length_ = 1, inner_ = 1;
};

// (x - mean) / (sqrt(E[x^2] - mean^2) + 1e-9), the moments taken over some axes.
class MeanVarianceNormalization : public FloatKernel<MeanVarianceNormalization> {
 public:
  explicit MeanVarianceNormalization(const Node& node) : FloatKernel(node) {
    const auto dims = provider::dims(node.input(0));
    const auto strides = base::contiguous_strides(dims);
    std::vector<int64_t> axes = node.get_ints("axes");
    if (!node.has("axes")) axes = {0, 2, 3};
    axes = base::normalize_axes(axes, node.input(0).rank);
    for (size_t d = 0; d < dims.size(); ++d) {
      const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end();
      (reduced ? reduced_dims_ : kept_dims_).push_back(dims[d]);
      (reduced ? reduced_strides_ : kept_strides_).push_back(strides[d]);
    }
    while (!reduced_dims_.empty() && reduced_strides_.back() == run_) {
      run_ *= reduced_dims_.back();
      reduced_dims_.pop_back();
      reduced_strides_.pop_back();
    }
  }

  template <class T>
  void compute(RunContext& context, const T* x, T* y) const {
    const int64_t runs = base::element_count(reduced_dims_), members = runs * run_;
    if (members == 0) return;
    context.parallel(base::element_count(kept_dims_), std::max<int64_t>(1, 4096 / std::max<int64_t>(1, members)),
                     [&](int64_t begin, int64_t end) {
                       Pacer pacer(context);
                       for (int64_t item = begin; item < end; ++item) {
                         pacer.did(1);
                         const int64_t base = at(item, kept_dims_, kept_strides_);
                         const auto each_run = [&](auto&& f) {
                           for (int64_t i = 0; i < runs; ++i) {
                             f(base + at(i, reduced_dims_, reduced_strides_));
                             pacer.did(run_ + 4);
                           }
                         };
                         double sum = 0, squares = 0;
                         each_run([&](int64_t k) { sum += sum_of(x + k, run_, [](double v) { return v; }); });
                         const double mean = sum / static_cast<double>(members);
                         each_run([&](int64_t k) {
                           squares += sum_of(x + k, run_, [=](double v) { return (v - mean) * (v - mean); });
                         });
                         const double divisor = std::sqrt(squares / static_cast<double>(members)) + 1e-9;
                         each_run([&](int64_t k) {
                           for (int64_t i = k; i < k + run_; ++i)
                             y[i] = static_cast<T>((static_cast<double>(x[i]) - mean) / divisor);
                         });
                       }
                     });
  }

 private:
  // Offset of the element with the flat index `flat` in `dims`.
  static int64_t at(int64_t flat, const base::Dims& dims, const base::Dims& strides) {
    int64_t offset = 0;
    for (size_t d = dims.size(); d-- > 0;) {
      offset += flat % dims[d] * strides[d];
      flat /= dims[d];
    }
    return offset;
  }

  base::Dims kept_dims_, kept_strides_, reduced_dims_, reduced_strides_;
  int64_t run_ = 1;  // adjacent elements that are reduced; the reduced axes are those before
};

}  // namespace

void kernels_onnx_lp_normalization(provider::KernelTable& table) {
  table.add<LpNormalization>("", "LpNormalization", "reference");
  table.add<MeanVarianceNormalization>("", "MeanVarianceNormalization", "reference");
}

}  // namespace onnxrun::cpu
