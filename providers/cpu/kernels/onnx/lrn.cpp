// LRN: each element is divided by a power of the sum of squares of its neighbouring channels.
#include <algorithm>
#include <cmath>

#include "cpu/loops/float_kernel.h"
#include "cpu/loops/local_response.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class Lrn : public FloatKernel<Lrn> {
 public:
  explicit Lrn(const Node& node)
      : FloatKernel(node),
        alpha_(static_cast<double>(node.get_float("alpha", 1e-4f))),
        beta_(static_cast<double>(node.get_float("beta", 0.75f))),
        bias_(static_cast<double>(node.get_float("bias", 1.0f))),
        window_(node.get_int("size", 1)) {
    const auto dims = provider::dims(node.input(0));
    batch_ = dims[0];
    channels_ = dims[1];
    for (size_t d = 2; d < dims.size(); ++d) size_ *= dims[d];
  }

  template <class T>
  void compute(RunContext& context, const T* x, T* y) const {
    const int64_t reach = std::min(window_, channels_), chunks = (size_ + kChunk - 1) / kChunk;
    parallel_polled(context, batch_ * channels_ * chunks, 8 * kChunk * (Cost(reach) + 8),
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t plane = item / chunks, first = item % chunks * kChunk;
                        piece(x, y, plane, first, std::min(kChunk, size_ - first));
                      }
                    });
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

  double alpha_, beta_, bias_;
  int64_t window_;
  int64_t batch_ = 0, channels_ = 0, size_ = 1;
};

// Float32 with the usual exponent. The error of y is a few units in the last place and one for each four neighbours.
class RootedLrn {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("not float32");
    if (node.get_float("beta", 0.75f) != 0.75f) return Acceptance::decline("'beta' is not 0.75");
    if (node.get_int("size", 1) > kMostNeighbours) return Acceptance::decline("a long window");
    return {};
  }

  explicit RootedLrn(const Node& node)
      : bias_(node.get_float("bias", 1.0f)),
        window_(node.get_int("size", 1)),
        factor_(node.get_float("alpha", 1e-4f) / static_cast<float>(window_)) {
    const auto dims = provider::dims(node.input(0));
    batch_ = dims[0];
    channels_ = dims[1];
    for (size_t d = 2; d < dims.size(); ++d) size_ *= dims[d];
  }

  void run(RunContext& context) const {
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    const int64_t chunks = (size_ + kChunk - 1) / kChunk;
    // The channels of a chunk one after the other: their neighbours then are in the cache.
    parallel_polled(context, batch_ * chunks * channels_, kChunk * (Cost(window_) + 8) / 4,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t c = item % channels_, at = item / channels_ % chunks * kChunk;
                        const int64_t image = item / channels_ / chunks * channels_ * size_ + at;
                        local_response().plane(x + image, size_, std::max<int64_t>(0, c - (window_ - 1) / 2),
                                               std::min(channels_ - 1, c + window_ / 2), c, bias_, factor_,
                                               y + image + c * size_, std::min(kChunk, size_ - at));
                      }
                    });
  }

 private:
  static constexpr int64_t kMostNeighbours = 64, kChunk = 512;

  float bias_;
  int64_t window_;
  float factor_;
  int64_t batch_ = 0, channels_ = 0, size_ = 1;
};

}  // namespace

void kernels_onnx_lrn(provider::KernelTable& table) {
  table.add<RootedLrn>("", "LRN", "roots");
  table.add<Lrn>("", "LRN", "reference");
}

}  // namespace onnxrun::cpu
