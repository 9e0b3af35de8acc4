// com.microsoft.CropAndResize, in double.
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

class CropAndResize {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit CropAndResize(const Node& node)
      : nearest_(node.get_string("mode", "bilinear") == "nearest"),
        outside_(static_cast<double>(node.get_float("extrapolation_value", 0))),
        load_(scalar_load(dtype(node.input(0)))),
        save_(scalar_save(dtype(node.input(0)))) {
    const auto x = provider::dims(node.input(0)), y = provider::dims(node.output(0));
    images_ = x[0];
    height_ = x[2];
    width_ = x[3];
    boxes_ = y[0];
    channels_ = y[1];
    crop_height_ = y[2];
    crop_width_ = y[3];
  }

  void run(RunContext& context) const {
    for (int64_t r = 0; r < boxes_; ++r) {
      const int64_t image = context.in<int32_t>(2)[r];
      if (image < 0 || image >= images_)
        base::fail(base::Code::kRunFailed, "CropAndResize: batch_indices[{}] is {}, but there are {} images", r, image,
                   images_);
    }
    parallel_polled(
        context, boxes_ * channels_ * crop_height_, Cost(crop_width_) * 32, [&](int64_t begin, int64_t end) {
          for (int64_t item = begin; item < end; ++item)
            row(context, item / crop_height_ / channels_, item / crop_height_ % channels_, item % crop_height_);
        });
  }

 private:
  // Where output `i` of `count` lies between `from` and `to` of `size` elements.
  static double place(double from, double to, int64_t i, int64_t count, int64_t size) {
    const double last = static_cast<double>(size - 1);
    if (count == 1) return 0.5 * (from + to) * last;
    return from * last + static_cast<double>(i) * ((to - from) * last / static_cast<double>(count - 1));
  }
  // Rounded as the sums of ONNX Runtime are, so that a border is met or missed alike.
  static bool inside(double at, int64_t size) { return at >= 0 && at <= static_cast<double>(size - 1); }

  void row(RunContext& context, int64_t r, int64_t c, int64_t i) const {
    const void *image = context.input(0).data, *rois = context.input(1).data;
    const int64_t first = (context.in<int32_t>(2)[r] * channels_ + c) * height_ * width_;
    const int64_t out = ((r * channels_ + c) * crop_height_ + i) * crop_width_;
    const double y1 = load_(rois, r * 4), x1 = load_(rois, r * 4 + 1), y2 = load_(rois, r * 4 + 2),
                 x2 = load_(rois, r * 4 + 3);
    const double y = static_cast<double>(static_cast<float>(place(y1, y2, i, crop_height_, height_)));
    for (int64_t j = 0; j < crop_width_; ++j) {
      const double x = static_cast<double>(static_cast<float>(place(x1, x2, j, crop_width_, width_)));
      double value = outside_;
      if (inside(y, height_) && inside(x, width_)) {
        const auto at = [&](double v, double u) {
          return load_(image, first + static_cast<int64_t>(v) * width_ + static_cast<int64_t>(u));
        };
        if (nearest_) {
          value = at(std::round(y), std::round(x));
        } else {
          const double top = std::floor(y), bottom = std::ceil(y), left = std::floor(x), right = std::ceil(x);
          const double upper = at(top, left) + (at(top, right) - at(top, left)) * (x - left);
          const double lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * (x - left);
          value = upper + (lower - upper) * (y - top);
        }
      }
      save_(context.output(0).data, out + j, value);
    }
  }

  bool nearest_;
  double outside_;
  Load load_;
  Save save_;
  int64_t images_, height_, width_, boxes_, channels_, crop_height_, crop_width_;
};

}  // namespace

void kernels_microsoft_crop_and_resize(provider::KernelTable& table) {
  table.add<CropAndResize>("com.microsoft", "CropAndResize", "direct");
}

}  // namespace onnxrun::cpu
