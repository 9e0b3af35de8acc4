// DeformConv: convolution whose taps are sampled bilinearly at learned offsets.
#include <algorithm>
#include <cmath>

#include "cpu/loops/polled.h"
#include "cpu/loops/window_geometry.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class DeformConv {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit DeformConv(const Node& node)
      : geometry_(ops::read_window(node, kernel_of(node.input(1))), node.input(0), node.output(0)),
        group_(node.get_int("group", 1)),
        offset_group_(node.get_int("offset_group", 1)),
        work_(work_float(node, 1)),
        operands_(node, 5, 1, work_) {}
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const WindowGeometry& g = geometry_;
      const int64_t work = g.in_channels / group_ * g.kernel_size * g.out[1];
      context.parallel(g.batch * g.out_channels * g.out[0], std::max<int64_t>(1, 4096 / std::max<int64_t>(1, work)),
                       [&](int64_t begin, int64_t end) {
                         Pacer pacer(context);
                         for (int64_t item = begin; item < end; ++item)
                           for (int64_t j = 0; j < g.out[1]; ++j) compute<T>(arrays, item, j, pacer);
                       });
    });
    operands_.store(context, arrays);
  }

 private:
  template <class T>
  double sample(const T* plane, double h, double w) const {
    const int64_t height = geometry_.in[0], width = geometry_.in[1];
    if (!(h > -1 && h < static_cast<double>(height) && w > -1 && w < static_cast<double>(width))) return 0;
    const int64_t top = static_cast<int64_t>(std::floor(h)), left = static_cast<int64_t>(std::floor(w));
    const double dh = h - static_cast<double>(top), dw = w - static_cast<double>(left);
    const auto at = [&](int64_t i, int64_t j) {
      return i < 0 || j < 0 || i >= height || j >= width ? 0.0 : static_cast<double>(plane[i * width + j]);
    };
    return (1 - dh) * ((1 - dw) * at(top, left) + dw * at(top, left + 1)) +
           dh * ((1 - dw) * at(top + 1, left) + dw * at(top + 1, left + 1));
  }

  template <class T>
  void compute(const WorkOperands::Arrays& arrays, int64_t item, int64_t j, Pacer& pacer) const {
    const WindowGeometry& g = geometry_;
    const T *x = arrays.template in<T>(0), *weights = arrays.template in<T>(1), *offsets = arrays.template in<T>(2);
    const T *bias = arrays.template in<T>(3), *mask = arrays.template in<T>(4);
    const int64_t i = item % g.out[0], m = item / g.out[0] % g.out_channels, n = item / g.out[0] / g.out_channels;
    const int64_t channels = g.in_channels / group_, per_offset = g.in_channels / offset_group_;
    const int64_t at = i * g.out[1] + j;
    double sum = bias == nullptr ? 0.0 : static_cast<double>(bias[m]);
    for (int64_t k = 0; k < g.kernel_size; ++k) {
      const int64_t kh = k / g.kernel[1], kw = k % g.kernel[1];
      pacer.did(16 * channels);
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t channel = m / (g.out_channels / group_) * channels + c;
        const int64_t tap = (n * offset_group_ + channel / per_offset) * g.kernel_size + k;
        const double h = static_cast<double>(i * g.strides[0] - g.pad_begin[0] + kh * g.dilations[0]) +
                         static_cast<double>(offsets[2 * tap * g.out_size + at]);
        const double w = static_cast<double>(j * g.strides[1] - g.pad_begin[1] + kw * g.dilations[1]) +
                         static_cast<double>(offsets[(2 * tap + 1) * g.out_size + at]);
        double value = sample(x + (n * g.in_channels + channel) * g.in_size, h, w);
        if (mask != nullptr) value *= static_cast<double>(mask[tap * g.out_size + at]);
        sum += value * static_cast<double>(weights[(m * channels + c) * g.kernel_size + k]);
      }
    }
    arrays.template out<T>(0)[(n * g.out_channels + m) * g.out_size + at] = static_cast<T>(sum);
  }

  WindowGeometry geometry_;
  int64_t group_, offset_group_;
  DType work_;
  WorkOperands operands_;
};

}  // namespace

void kernels_onnx_deform_conv(provider::KernelTable& table) { table.add<DeformConv>("", "DeformConv", "reference"); }

}  // namespace onnxrun::cpu
