// MaxRoiPool: regions [batch, x1, y1, x2, y2] rounded to pixels and pooled to a fixed grid.
#include <algorithm>
#include <cmath>

#include "cpu/loops/polled.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class MaxRoiPool {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit MaxRoiPool(const Node& node)
      : work_(work_float(node, 1)),
        operands_(node, 2, 1, work_),
        scale_(static_cast<double>(node.get_float("spatial_scale", 1.0f))),
        rois_(provider::dims(node.input(1))[0]) {
    const auto x = provider::dims(node.input(0)), y = provider::dims(node.output(0));
    std::copy_n(x.begin(), 4, in_);
    out_[0] = y[2];
    out_[1] = y[3];
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T *x = arrays.template in<T>(0), *rois = arrays.template in<T>(1);
      T* y = arrays.template out<T>(0);
      Pacer pacer(context);
      for (int64_t r = 0; r < rois_; ++r) pool(x, rois + r * 5, y + r * in_[1] * out_[0] * out_[1], pacer);
    });
    operands_.store(context, arrays);
  }

 private:
  static int64_t pixel(double value) {
    return static_cast<int64_t>(std::clamp(std::isnan(value) ? 0.0 : value, -1e9, 1e9));
  }

  template <class T>
  void pool(const T* x, const T* roi, T* y, Pacer& pacer) const {
    pacer.did(16);
    const double batch = static_cast<double>(roi[0]);
    if (!(batch >= 0) || !(batch < static_cast<double>(in_[0])))
      base::fail(base::Code::kRunFailed, "input 'rois' names image {} of a batch of {}", batch, in_[0]);
    int64_t from[2], size[2];  // height, width
    for (int d = 0; d < 2; ++d) {
      from[d] = pixel(std::round(static_cast<double>(roi[2 - d]) * scale_));
      size[d] = std::max<int64_t>(pixel(std::round(static_cast<double>(roi[4 - d]) * scale_)) - from[d] + 1, 1);
    }
    const T* image = x + static_cast<int64_t>(batch) * in_[1] * in_[2] * in_[3];
    const auto edge = [&](int d, int64_t bin, bool end) {
      const double at =
          static_cast<double>(bin + (end ? 1 : 0)) * static_cast<double>(size[d]) / static_cast<double>(out_[d]);
      return std::clamp<int64_t>(pixel(end ? std::ceil(at) : std::floor(at)) + from[d], 0, in_[2 + d]);
    };
    for (int64_t c = 0; c < in_[1]; ++c)
      for (int64_t i = 0; i < out_[0]; ++i)
        for (int64_t j = 0; j < out_[1]; ++j) {
          const int64_t top = edge(0, i, false), bottom = edge(0, i, true), left = edge(1, j, false),
                        right = edge(1, j, true);
          const bool empty = bottom <= top || right <= left;
          pacer.did(empty ? 16 : (bottom - top) * (right - left) + 16);
          T best = empty ? T(0) : image[(c * in_[2] + top) * in_[3] + left];
          for (int64_t h = top; h < bottom; ++h)
            for (int64_t w = left; w < right; ++w) best = std::max(best, image[(c * in_[2] + h) * in_[3] + w]);
          y[(c * out_[0] + i) * out_[1] + j] = best;
        }
  }

  DType work_;
  WorkOperands operands_;
  double scale_;
  int64_t rois_;
  int64_t in_[4] = {}, out_[2] = {};
};

}  // namespace

void kernels_onnx_max_roi_pool(provider::KernelTable& table) { table.add<MaxRoiPool>("", "MaxRoiPool", "reference"); }

}  // namespace onnxrun::cpu
