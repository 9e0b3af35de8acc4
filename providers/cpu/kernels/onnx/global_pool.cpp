// GlobalAveragePool, GlobalMaxPool and GlobalLpPool.
#include <algorithm>
#include <cmath>

#include "cpu/loops/float_kernel.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/reduce_kernel.h"

namespace onnxrun::cpu {
namespace {

// Combines each plane of `size` elements to one by eight partial results.
template <class T, class Start, class Step, class Join, class End>
void reduce_planes(RunContext& context, const T* x, T* y, int64_t planes, int64_t size, Start start, Step step,
                   Join join, End end) {
  parallel_polled(context, planes, Cost(size) * 8, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const T* from = x + plane * size;
      double part[8];
      std::fill_n(part, 8, start);
      int64_t i = 0;
      for (; i + 8 <= size; i += 8)
        for (int64_t l = 0; l < 8; ++l) part[l] = step(part[l], static_cast<double>(from[i + l]));
      for (; i < size; ++i) part[0] = step(part[0], static_cast<double>(from[i]));
      for (int64_t l = 1; l < 8; ++l) part[0] = join(part[0], part[l]);
      y[plane] = static_cast<T>(end(part[0]));
    }
  });
}

enum class Kind { kAverage, kMax, kLp };

template <Kind kKind>
class GlobalPool : public FloatKernel<GlobalPool<kKind>> {
 public:
  explicit GlobalPool(const Node& node) : FloatKernel<GlobalPool>(node), p_(static_cast<double>(node.get_int("p", 2))) {
    const auto dims = provider::dims(node.input(0));
    planes_ = dims[0] * dims[1];
    size_ = planes_ == 0 ? 0 : provider::count(node.input(0)) / planes_;
  }

  template <class T>
  void compute(RunContext& context, const T* x, T* y) const {
    const auto plus = [](double a, double b) { return a + b; };
    if constexpr (kKind == Kind::kAverage) {
      const double count = static_cast<double>(size_);
      reduce_planes(context, x, y, planes_, size_, 0.0, plus, plus, [=](double sum) { return sum / count; });
    } else if constexpr (kKind == Kind::kMax) {
      largest(context, x, y, *reduce_kernel(Reduction::kMax, dtype_of<T>));
    } else if (p_ == 2) {
      reduce_planes(
          context, x, y, planes_, size_, 0.0, [](double sum, double v) { return sum + v * v; }, plus,
          [](double sum) { return std::sqrt(sum); });
    } else {
      const double p = p_;
      reduce_planes(
          context, x, y, planes_, size_, 0.0, [p](double sum, double v) { return sum + std::pow(std::abs(v), p); },
          plus, [p](double sum) { return std::pow(sum, 1 / p); });
    }
  }

 private:
  template <class T>
  void largest(RunContext& context, const T* x, T* y, const ReduceKernel& kernel) const {
    parallel_polled(context, planes_, Cost(size_), [&](int64_t first, int64_t last) {
      kernel.start(y + first, last - first);
      for (int64_t plane = first; plane < last; ++plane)
        for (int64_t at = 0; at < size_; at += ReduceKernel::kRun)
          kernel.feed_run(y + plane, x + plane * size_ + at, std::min(ReduceKernel::kRun, size_ - at));
    });
  }

  double p_;
  int64_t planes_ = 0, size_ = 0;
};

}  // namespace

void kernels_onnx_global_pool(provider::KernelTable& table) {
  table.add<GlobalPool<Kind::kAverage>>("", "GlobalAveragePool", "reference");
  table.add<GlobalPool<Kind::kMax>>("", "GlobalMaxPool", "reference");
  table.add<GlobalPool<Kind::kLp>>("", "GlobalLpPool", "reference");
}

}  // namespace onnxrun::cpu
