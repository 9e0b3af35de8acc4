// ConvTranspose: plain loops that gather what reaches each row of the output.
#include "cpu/kernels/fast_products.h"

#include <algorithm>
#include "cpu/loops/convolve.h"
#include "cpu/loops/work_operands.h"
#include "ops/attributes/conv_transpose.h"

namespace onnxrun::cpu {
namespace {

// Calls store(m, offset, sums, count) for all of y; see walk_output_rows. `g` has the sizes of x and y, `cut` what is cut off y's begins.
template <class T, class Store>
void convolve_transposed(RunContext& context, const WindowGeometry& g, const std::vector<int64_t>& cut, int64_t group,
                         const T* x, const T* w, Store store) {
  const size_t last = g.rank() - 1;
  const int64_t channels = g.in_channels / group, filters = g.out_channels / group;
  const int64_t in_width = g.in[last], stride = g.strides[last];
  walk_output_rows(
      context, g, group, std::max<int64_t>(1, g.out[last] * channels * g.kernel_size / stride), x, w,
      [&](size_t d, int64_t o, int64_t k) {
        const int64_t at = o + cut[d] - k * g.dilations[d];
        return at >= 0 && at % g.strides[d] == 0 && at / g.strides[d] < g.in[d] ? at / g.strides[d] : -1;
      },
      [&](int64_t m, int64_t c) { return (m / filters * channels + c) * filters + m % filters; },
      [&](double weight, const T* from, int64_t kw, int64_t first, int64_t count, double* sums) {
        const int64_t shift = kw * g.dilations[last] - cut[last];  // output column of input column 0
        const int64_t low = shift >= first ? 0 : (first - shift + stride - 1) / stride;
        const int64_t high = first + count <= shift ? 0 : std::min(in_width, (first + count - 1 - shift) / stride + 1);
        for (int64_t i = low; i < high; ++i) sums[i * stride + shift - first] += weight * static_cast<double>(from[i]);
      },
      store);
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
