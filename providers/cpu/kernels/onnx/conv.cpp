// Conv, FusedConv, ConvInteger and QLinearConv: plain loops that serve every type and number of axes; faster kernels come before them.
#include "cpu/kernels/fast_products.h"

#include <algorithm>
#include "cpu/loops/block_end.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/quantized.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

WindowGeometry geometry_of(const Node& node, size_t w) {
  const auto kernel = kernel_of(node.input(w));
  return {ops::read_window(node, kernel), node.input(0), node.output(0)};
}

Acceptance accept_axes(const Node& node) {
  if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
    return Acceptance::decline("more than 16 spatial axes");
  return {};
}

class Conv {
 public:
  static Acceptance accepts(const Node& node) {
    const auto end = end_of_convolution(node);
    if (!end) return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    if (end->present() && dtype(node.input(0)) == DType::kFloat64)
      return Acceptance::decline("activations are of float32 only");
    return accept_axes(node);
  }
  explicit Conv(const Node& node)
      : geometry_(geometry_of(node, 1)),
        group_(node.get_int("group", 1)),
        work_(work_float(node, 1)),
        operands_(node, 4, 1, work_),
        end_(*end_of_convolution(node)) {}
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T *bias = arrays.template in<T>(2), *added = arrays.template in<T>(3);
      T* y = arrays.template out<T>(0);
      convolve(context, geometry_, group_, arrays.template in<T>(0), arrays.template in<T>(1),
               [&](int64_t m, int64_t at, const double* sums, int64_t count) {
                 const double add = bias == nullptr ? 0.0 : static_cast<double>(bias[m]);
                 for (int64_t i = 0; i < count; ++i)
                   y[at + i] =
                       static_cast<T>(sums[i] + add + (added == nullptr ? 0.0 : static_cast<double>(added[at + i])));
                 if constexpr (std::is_same_v<T, float>) end_.finish(y + at, count);
               });
    });
    operands_.store(context, arrays);
  }

 private:
  WindowGeometry geometry_;
  int64_t group_;
  DType work_;
  WorkOperands operands_;
  BlockEnd end_;
};

// Both operands as float32 with their zero points taken off; sums of products are exact in double.
class IntegerConvolution {
 public:
  IntegerConvolution(const Node& node, size_t w)
      : w_(w),
        geometry_(geometry_of(node, w)),
        group_(node.get_int("group", 1)),
        x_values_(node, 0),
        w_values_(node, w) {}
  size_t scratch_bytes() const { return x_values_.bytes() + w_values_.bytes(); }

  template <class Store>
  void run(RunContext& context, size_t x_zero, size_t w_zero, Store store) const {
    float* x = static_cast<float*>(context.scratch());
    float* w = x + x_values_.bytes() / sizeof(float);
    const bool many = context.has_input(w_zero) && provider::count(context.input(w_zero)) > 1;
    const int64_t filter = std::max<int64_t>(1, w_values_.count() / std::max<int64_t>(1, geometry_.out_channels));
    x_values_.load(
        context, 0, x_zero, [](int64_t) { return int64_t{0}; }, x);
    w_values_.load(
        context, w_, w_zero, [=](int64_t i) { return many ? i / filter : 0; }, w);
    convolve(context, geometry_, group_, x, w, store);
  }

 private:
  size_t w_;
  WindowGeometry geometry_;
  int64_t group_;
  QuantizedValues x_values_, w_values_;
};

class ConvInteger {
 public:
  static Acceptance accepts(const Node& node) { return accept_axes(node); }
  explicit ConvInteger(const Node& node) : convolution_(node, 1) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  void run(RunContext& context) const {
    int32_t* y = context.out<int32_t>(0);
    convolution_.run(context, 2, 3, [y](int64_t, int64_t at, const double* sums, int64_t count) {
      for (int64_t i = 0; i < count; ++i) y[at + i] = static_cast<int32_t>(static_cast<int64_t>(sums[i]));
    });
  }

 private:
  IntegerConvolution convolution_;
};

class QLinearConv {
 public:
  static Acceptance accepts(const Node& node) { return accept_axes(node); }
  explicit QLinearConv(const Node& node) : convolution_(node, 3), quantize_(dtype(node.output(0))) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  void run(RunContext& context) const {
    const int32_t* bias = context.has_input(8) ? context.in<int32_t>(8) : nullptr;
    const float x_scale = *context.in<float>(1), y_scale = *context.in<float>(6);
    const float* w_scale = context.in<float>(4);
    const bool many = provider::count(context.input(4)) > 1;
    const float zero = quantize_.zero_point(context.input(7).data);
    void* y = context.out<void>(0);
    convolution_.run(context, 2, 5, [&](int64_t m, int64_t at, const double* sums, int64_t count) {
      const double add = bias == nullptr ? 0.0 : static_cast<double>(bias[m]);
      const double scale = static_cast<double>(x_scale * w_scale[many ? m : 0] / y_scale);
      for (int64_t i = 0; i < count; ++i) quantize_.store((sums[i] + add) * scale, zero, y, at + i);
    });
  }

 private:
  IntegerConvolution convolution_;
  Requantizer quantize_;
};

}  // namespace

void kernels_onnx_conv(provider::KernelTable& table) {
  add_fast_convolutions(table);
  table.add<Conv>("", "Conv", "reference");
  table.add<Conv>("com.microsoft", "FusedConv", "reference");
  table.add<ConvInteger>("", "ConvInteger", "reference");
  table.add<QLinearConv>("", "QLinearConv", "reference");
}

}  // namespace onnxrun::cpu
