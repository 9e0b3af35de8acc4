// ConvTranspose: plain loops that gather what reaches each row of the output.
#include "cpu/kernels/fast_products.h"

#include <algorithm>
#include "cpu/loops/convolve.h"
#include "cpu/loops/work_operands.h"
#include "ops/attributes/conv_transpose.h"

namespace onnxrun::cpu {
namespace {

// Calls store(channel, offset, sums, count) for all of y; see convolve. `g` has the sizes of x and y, `cut` what is cut off y's begins.
template <class T, class Store>
void convolve_transposed(RunContext& context, const WindowGeometry& g, const std::vector<int64_t>& cut, int64_t group,
                         const T* x, const T* w, Store store) {
  const int64_t channels = g.in_channels / group, filters = g.out_channels / group;
  const size_t last = g.rank() - 1;
  const int64_t width = g.out[last], rows = width == 0 ? 0 : g.out_size / width;
  const int64_t in_width = g.in[last], kernel_width = g.kernel[last], kernel_rows = g.kernel_size / kernel_width;
  const int64_t stride = g.strides[last];
  const int64_t work = std::max<int64_t>(1, width * channels * g.kernel_size / stride);
  context.parallel(
      g.batch * g.out_channels * rows, std::max<int64_t>(1, 16384 / work), [&](int64_t begin, int64_t end) {
        double sums[kConvolveRow];
        int64_t o[kMaxSpatialAxes], k[kMaxSpatialAxes];
        for (int64_t item = begin; item < end; ++item) {
          if ((item & 15) == 0 && context.cancelled()) return;
          const int64_t row = item % rows, m = item / rows % g.out_channels, n = item / rows / g.out_channels;
          coordinates(row, g.out, last, o);
          for (int64_t first = 0; first < width; first += kConvolveRow) {
            const int64_t count = std::min(kConvolveRow, width - first);
            std::fill_n(sums, count, 0.0);
            for (int64_t kr = 0; kr < kernel_rows; ++kr) {
              coordinates(kr, g.kernel, last, k);
              int64_t in_row = 0;
              bool inside = true;
              for (size_t d = 0; d < last; ++d) {
                const int64_t reach = o[d] + cut[d] - k[d] * g.dilations[d];
                inside = inside && reach >= 0 && reach % g.strides[d] == 0 && reach / g.strides[d] < g.in[d];
                in_row = in_row * g.in[d] + reach / g.strides[d];
              }
              if (!inside) continue;
              for (int64_t c = 0; c < channels; ++c) {
                const int64_t channel = m / filters * channels + c;
                const T* from = x + (n * g.in_channels + channel) * g.in_size + in_row * in_width;
                const T* weights = w + (channel * filters + m % filters) * g.kernel_size + kr * kernel_width;
                for (int64_t kw = 0; kw < kernel_width; ++kw) {
                  const int64_t shift = kw * g.dilations[last] - cut[last];  // output column of input column 0
                  const int64_t low = shift >= first ? 0 : (first - shift + stride - 1) / stride;
                  const int64_t high =
                      first + count <= shift ? 0 : std::min(in_width, (first + count - 1 - shift) / stride + 1);
                  const double weight = static_cast<double>(weights[kw]);
                  for (int64_t i = low; i < high; ++i)
                    sums[i * stride + shift - first] += weight * static_cast<double>(from[i]);
                }
              }
            }
            store(m, (n * g.out_channels + m) * g.out_size + row * width + first, static_cast<const double*>(sums),
                  count);
          }
        }
      });
  context.check_cancelled();
}

class ConvTranspose {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
      return Acceptance::decline("more than 16 spatial axes");
    return {};
  }
  explicit ConvTranspose(const Node& node)
      : group_(node.get_int("group", 1)), work_(work_float(node, 1)), operands_(node, 3, 1, work_) {
    const auto t = ops::read_transposed_window(node, kernel_of(node.input(1)));
    geometry_ = WindowGeometry(t.window, node.input(0), node.output(0));
    for (size_t d = 0; d < geometry_.rank(); ++d) cut_.push_back(t.cut_begin(d, geometry_.in[d], geometry_.out[d]));
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T* bias = arrays.template in<T>(2);
      T* y = arrays.template out<T>(0);
      convolve_transposed(context, geometry_, cut_, group_, arrays.template in<T>(0), arrays.template in<T>(1),
                          [&](int64_t m, int64_t at, const double* sums, int64_t count) {
                            const double add = bias == nullptr ? 0.0 : static_cast<double>(bias[m]);
                            for (int64_t i = 0; i < count; ++i) y[at + i] = static_cast<T>(sums[i] + add);
                          });
    });
    operands_.store(context, arrays);
  }

 private:
  WindowGeometry geometry_;
  std::vector<int64_t> cut_;
  int64_t group_;
  DType work_;
  WorkOperands operands_;
};

}  // namespace

void kernels_onnx_conv_transpose(provider::KernelTable& table) {
  add_fast_transposed_convolutions(table);
  table.add<ConvTranspose>("", "ConvTranspose", "reference");
}

}  // namespace onnxrun::cpu
