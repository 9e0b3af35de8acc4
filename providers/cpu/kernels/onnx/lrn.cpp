// LRN: each element is divided by a power of the sum of squares of its neighbouring channels.
#include <algorithm>
#include <cmath>

#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class Lrn {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Lrn(const Node& node)
      : work_(work_float(node, 1)), operands_(node, 1, 1, work_), alpha_(static_cast<double>(node.get_float("alpha", 1e-4f))),
        beta_(static_cast<double>(node.get_float("beta", 0.75f))), bias_(static_cast<double>(node.get_float("bias", 1.0f))),
        window_(node.get_int("size", 1)) {
    const auto dims = provider::dims(node.input(0));
    batch_ = dims[0];
    channels_ = dims[1];
    for (size_t d = 2; d < dims.size(); ++d) size_ *= dims[d];
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    const int64_t reach = std::min(window_, channels_);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T* x = arrays.template in<T>(0);
      T* y = arrays.template out<T>(0);
      const int64_t chunks = (size_ + kChunk - 1) / kChunk;
      context.parallel(batch_ * channels_ * chunks, std::max<int64_t>(1, 16384 / (kChunk * (reach + 8))),
                       [&](int64_t begin, int64_t end) {
                         for (int64_t item = begin; item < end; ++item) {
                           const int64_t plane = item / chunks, first = item % chunks * kChunk;
                           piece(x, y, plane, first, std::min(kChunk, size_ - first));
                         }
                       });
    });
    context.check_cancelled();
    operands_.store(context, arrays);
  }

 private:
  static constexpr int64_t kChunk = 128;

  template <class T>
  void piece(const T* x, T* y, int64_t plane, int64_t first, int64_t count) const {
    const int64_t c = plane % channels_, image = plane - c;
    const int64_t low = std::max<int64_t>(0, c - (window_ - 1) / 2), high = std::min(channels_ - 1, c + window_ / 2);
    double sums[kChunk] = {};
    for (int64_t k = low; k <= high; ++k) {
      const T* from = x + (image + k) * size_ + first;
      for (int64_t i = 0; i < count; ++i) sums[i] += static_cast<double>(from[i]) * static_cast<double>(from[i]);
    }
    const T* from = x + plane * size_ + first;
    T* to = y + plane * size_ + first;
    const double factor = alpha_ / static_cast<double>(window_);
    for (int64_t i = 0; i < count; ++i) {
      const double base = bias_ + factor * sums[i];
      const double divisor = beta_ == 0.75 ? std::sqrt(base) * std::sqrt(std::sqrt(base)) : std::pow(base, beta_);
      to[i] = static_cast<T>(static_cast<double>(from[i]) / divisor);
    }
  }

  DType work_;
  WorkOperands operands_;
  double alpha_, beta_, bias_;
  int64_t window_;
  int64_t batch_ = 0, channels_ = 0, size_ = 1;
};

}  // namespace

void kernels_onnx_lrn(provider::KernelTable& table) { table.add<Lrn>("", "LRN", "reference"); }

}  // namespace onnxrun::cpu
