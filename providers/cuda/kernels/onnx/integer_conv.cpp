// ConvInteger and QLinearConv of 8-bit integers: by cuBLASLt where they are large enough, directly otherwise.
#include <algorithm>
#include <optional>

#include "cuda/device/integer.h"
#include "cuda/host/byte_product.h"
#include "cuda/kernels/integer_parameters.h"
#include "ops/attributes/window.h"

namespace onnxrun::cuda {
namespace {

class IntegerConv {
 public:
  static Acceptance accepts(const Node& node) {
    if (find(node) == nullptr) return no_types(node, weights(node));
    if (linear(node) && !scale_types(node, {1, 4, 6})) return Acceptance::decline("scales of unusual types");
    return node.input(0).rank > 5 ? Acceptance::decline("more than 3 spatial axes") : Acceptance();
  }
  explicit IntegerConv(const Node& node)
      : direct_(find(node)), end_(find_byte_sums(dtype(node.output(0)))), linear_(linear(node)) {
    const auto x = provider::dims(node.input(0)), w = provider::dims(node.input(weights(node))),
               y = provider::dims(node.output(0));
    const ops::Window window = ops::read_window(node, {w.begin() + 2, w.end()});
    how_.batch = x[0], how_.channels = x[1], how_.filters = w[0], how_.groups = node.get_int("group", 1);
    const size_t first = 3 - window.rank();
    for (size_t d = 0; d < window.rank(); ++d) {
      how_.in[first + d] = x[d + 2], how_.out[first + d] = y[d + 2], how_.kernel[first + d] = window.kernel[d];
      how_.strides[first + d] = window.strides[d], how_.dilations[first + d] = window.dilations[d];
      how_.begin[first + d] = window.padding(d, x[d + 2]).first;
    }
    how_.w_zero.step = step_of(node.input(linear_ ? 5 : 3), how_.filters);
    if (linear_) {
      how_.ends.b_scale.step = step_of(node.input(4), how_.filters);
      how_.ends.scale_type = dtype(node.input(1));
    }
    if (provider::count(node.output(0)) == 0 || !ByteProduct::suits(how_)) return;
    const bool w_unsigned = dtype(node.input(weights(node))) == DType::kUint8;
    tensor_cores_.emplace(how_, w_unsigned, dtype(node.input(0)) == DType::kUint8,
                          !stored_as_zeros(node.input(linear_ ? 5 : 3), w_unsigned));
  }
  size_t scratch_bytes() const { return tensor_cores_ ? tensor_cores_->scratch_bytes() : 0; }

  void run(RunContext& context) const {
    const auto data = [&](size_t i) { return context.has_input(i) ? context.input(i).data : nullptr; };
    IntegerConvolution how = how_;
    how.x_zero.data = data(2);
    how.w_zero.data = data(linear_ ? 5 : 3);
    if (linear_) {
      how.ends.a_scale.data = data(1), how.ends.b_scale.data = data(4);
      how.ends.y_scale = data(6), how.ends.y_zero = data(7);
      how.bias = static_cast<const int32_t*>(data(8));
    }
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    const void *x = context.input(0).data, *w = context.input(linear_ ? 3 : 1).data;
    void* y = context.output(0).data;
    if (tensor_cores_) {
      ByteSums ends;
      ends.row_zero = how.w_zero, ends.column_zero = how.x_zero;
      ends.bias = how.bias, ends.filters = true;
      ends.ends = how.ends;
      if (tensor_cores_->run(stream, queue, how, w, x, ends, end_, y, context.scratch())) return;
    }
    direct_(queue, how, x, w, y);
  }

 private:
  static bool linear(const Node& node) { return node.op() == "QLinearConv"; }
  static size_t weights(const Node& node) { return linear(node) ? 3 : 1; }
  // Whether zero points are known, and are those of weights that are stored as zeros: 0 of int8, 128 of uint8.
  static bool stored_as_zeros(const onnxrun_tensor& zeros, bool is_unsigned) {
    if (!provider::present(zeros)) return !is_unsigned;
    const auto* data = static_cast<const uint8_t*>(zeros.data);
    return data != nullptr && std::all_of(data, data + provider::count(zeros),
                                          [&](uint8_t zero) { return zero == (is_unsigned ? 128 : 0); });
  }
  static IntegerConvolutionLaunch find(const Node& node) {
    return find_integer_convolution(dtype(node.input(0)), dtype(node.input(weights(node))), dtype(node.output(0)));
  }
  IntegerConvolutionLaunch direct_;
  ByteSumsLaunch end_;
  bool linear_;
  IntegerConvolution how_;
  std::optional<ByteProduct> tensor_cores_;
};

}  // namespace

void kernels_onnx_integer_conv(provider::KernelTable& table) {
  add<IntegerConv>(table, "", "ConvInteger", "cublaslt");
  add<IntegerConv>(table, "", "QLinearConv", "cublaslt");
}

}  // namespace onnxrun::cuda
