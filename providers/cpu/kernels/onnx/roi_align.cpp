// RoiAlign: averages or maxima of bilinear samples in each bin of a region.
#include <algorithm>
#include <cmath>

#include "cpu/loops/polled.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class RoiAlign {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit RoiAlign(const Node& node)
      : work_(work_float(node, 2)),
        operands_(node, 2, 1, work_),
        scale_(static_cast<double>(node.get_float("spatial_scale", 1.0f))),
        ratio_(node.get_int("sampling_ratio", 0)),
        max_(node.get_string("mode", "avg") == "max"),
        half_pixel_(node.get_string("coordinate_transformation_mode", "half_pixel") == "half_pixel"),
        rois_(provider::dims(node.input(1))[0]) {
    std::copy_n(provider::dims(node.input(0)).begin(), 4, in_);
    out_[0] = provider::dims(node.output(0))[2];
    out_[1] = provider::dims(node.output(0))[3];
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    const int64_t* batches = context.in<int64_t>(2);
    for (int64_t r = 0; r < rois_; ++r)
      if (batches[r] < 0 || batches[r] >= in_[0])
        base::fail(base::Code::kRunFailed, "input 'batch_indices' has the value {} for a batch of {}", batches[r],
                   in_[0]);
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T *x = arrays.template in<T>(0), *rois = arrays.template in<T>(1);
      T* y = arrays.template out<T>(0);
      const int64_t plane = in_[2] * in_[3], bins = out_[0] * out_[1];
      context.parallel(rois_ * in_[1], std::max<int64_t>(1, 2048 / std::max<int64_t>(1, bins)),
                       [&](int64_t begin, int64_t end) {
                         Pacer pacer(context);
                         for (int64_t item = begin; item < end; ++item) {
                           const int64_t r = item / in_[1], c = item % in_[1];
                           align(x + (batches[r] * in_[1] + c) * plane, rois + r * 4, y + item * bins, pacer);
                         }
                       });
    });
    operands_.store(context, arrays);
  }

 private:
  // A position along an axis of `size` elements: the two neighbours and the weight of the second; false outside.
  struct Sample {
    int64_t low, high;
    double weight;
  };
  static bool sample(double at, int64_t size, Sample& s) {
    if (!(at >= -1.0 && at <= static_cast<double>(size)) || size == 0) return false;
    at = std::max(at, 0.0);
    s.low = static_cast<int64_t>(at);
    if (s.low >= size - 1) {
      s.low = s.high = size - 1;
      s.weight = 0;
    } else {
      s.high = s.low + 1;
      s.weight = at - static_cast<double>(s.low);
    }
    return true;
  }

  template <class T>
  void align(const T* x, const T* roi, T* y, Pacer& pacer) const {
    const double offset = half_pixel_ ? 0.5 : 0.0;
    double start[2], bin[2];
    int64_t grid[2];
    for (int d = 0; d < 2; ++d) {  // height, width
      start[d] = static_cast<double>(roi[1 - d]) * scale_ - offset;
      double size = static_cast<double>(roi[3 - d]) * scale_ - offset - start[d];
      if (!half_pixel_) size = std::max(size, 1.0);
      bin[d] = size / static_cast<double>(out_[d]);
      grid[d] = ratio_ > 0
                    ? ratio_
                    : static_cast<int64_t>(std::clamp(std::isnan(bin[d]) ? 0.0 : std::ceil(bin[d]), 0.0, 65536.0));
    }
    const double count = static_cast<double>(std::max<int64_t>(grid[0] * grid[1], 1));
    for (int64_t i = 0; i < out_[0]; ++i)
      for (int64_t j = 0; j < out_[1]; ++j) {
        double sum = 0, best = 0;
        bool any = false;
        pacer.did(1);
        for (int64_t gi = 0; gi < grid[0]; ++gi) {
          pacer.did(16 * grid[1]);
          for (int64_t gj = 0; gj < grid[1]; ++gj) {
            Sample h{}, w{};
            const double at_h =
                start[0] +
                (static_cast<double>(i) + (static_cast<double>(gi) + 0.5) / static_cast<double>(grid[0])) * bin[0];
            const double at_w =
                start[1] +
                (static_cast<double>(j) + (static_cast<double>(gj) + 0.5) / static_cast<double>(grid[1])) * bin[1];
            double corners[4] = {};
            if (sample(at_h, in_[2], h) && sample(at_w, in_[3], w)) {
              corners[0] = (1 - h.weight) * (1 - w.weight) * static_cast<double>(x[h.low * in_[3] + w.low]);
              corners[1] = (1 - h.weight) * w.weight * static_cast<double>(x[h.low * in_[3] + w.high]);
              corners[2] = h.weight * (1 - w.weight) * static_cast<double>(x[h.high * in_[3] + w.low]);
              corners[3] = h.weight * w.weight * static_cast<double>(x[h.high * in_[3] + w.high]);
            }
            sum += corners[0] + corners[1] + corners[2] + corners[3];
            const double largest = std::max(std::max(corners[0], corners[1]), std::max(corners[2], corners[3]));
            best = any ? std::max(best, largest) : largest;
            any = true;
          }
        }
        y[i * out_[1] + j] = static_cast<T>(max_ ? best : sum / count);
      }
  }

  DType work_;
  WorkOperands operands_;
  double scale_;
  int64_t ratio_;
  bool max_, half_pixel_;
  int64_t rois_;
  int64_t in_[4] = {}, out_[2] = {};
};

}  // namespace

void kernels_onnx_roi_align(provider::KernelTable& table) { table.add<RoiAlign>("", "RoiAlign", "reference"); }

}  // namespace onnxrun::cpu
