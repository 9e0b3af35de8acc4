// LpNormalization and MeanVarianceNormalization.
#include <algorithm>
#include <cmath>

#include "base/shape.h"
#include "cpu/loops/float_kernel.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

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
    context.parallel(
        outer_ * inner_, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, length_)), [&](int64_t begin, int64_t end) {
          Pacer pacer(context);
          for (int64_t line = begin; line < end; ++line) {
            pacer.did(2 * length_ + 1);
            const int64_t at = line / inner_ * length_ * inner_ + line % inner_;
            double sum = 0;
            for (int64_t i = 0; i < length_; ++i) {
              const double v = static_cast<double>(x[at + i * inner_]);
              sum += first_ ? std::abs(v) : v * v;
            }
            const double norm = first_ ? sum : std::sqrt(sum);
            for (int64_t i = 0; i < length_; ++i)
              y[at + i * inner_] = norm == 0 ? T(0) : static_cast<T>(static_cast<double>(x[at + i * inner_]) / norm);
          }
        });
  }

 private:
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
  }

  template <class T>
  void compute(RunContext& context, const T* x, T* y) const {
    const int64_t members = base::element_count(reduced_dims_);
    if (members == 0) return;
    context.parallel(base::element_count(kept_dims_), std::max<int64_t>(1, 4096 / std::max<int64_t>(1, members)),
                     [&](int64_t begin, int64_t end) {
                       Pacer pacer(context);
                       for (int64_t item = begin; item < end; ++item) {
                         pacer.did(1);
                         const int64_t base = at(item, kept_dims_, kept_strides_);
                         double sum = 0, squares = 0;
                         for (int64_t i = 0; i < members; ++i) {
                           pacer.did(4);
                           sum += static_cast<double>(x[base + at(i, reduced_dims_, reduced_strides_)]);
                         }
                         const double mean = sum / static_cast<double>(members);
                         for (int64_t i = 0; i < members; ++i) {
                           const double d =
                               static_cast<double>(x[base + at(i, reduced_dims_, reduced_strides_)]) - mean;
                           squares += d * d;
                           pacer.did(4);
                         }
                         const double divisor = std::sqrt(squares / static_cast<double>(members)) + 1e-9;
                         for (int64_t i = 0; i < members; ++i) {
                           const int64_t k = base + at(i, reduced_dims_, reduced_strides_);
                           pacer.did(4);
                           y[k] = static_cast<T>((static_cast<double>(x[k]) - mean) / divisor);
                         }
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
};

}  // namespace

void kernels_onnx_lp_normalization(provider::KernelTable& table) {
  table.add<LpNormalization>("", "LpNormalization", "reference");
  table.add<MeanVarianceNormalization>("", "MeanVarianceNormalization", "reference");
}

}  // namespace onnxrun::cpu
