// DeformConv of images.
#include "cuda/device/deform.h"
#include "cuda/kernels/elementwise.h"
#include "ops/attributes/window.h"

namespace onnxrun::cuda {
namespace {

class DeformConv {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(0).rank != 4) return Acceptance::decline("deforms windows of two axes only");
    for (size_t i = 1; i < node.input_count(); ++i)
      if (node.has_input(i) && node.input(i).dtype != node.input(0).dtype)
        return Acceptance::decline("inputs of several types");
    return find_deform(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit DeformConv(const Node& node) : launch_(find_deform(dtype(node.input(0)))) {
    const auto x = provider::dims(node.input(0)), w = provider::dims(node.input(1)), y = provider::dims(node.output(0));
    const ops::Window window = ops::read_window(node, base::Dims(w.begin() + 2, w.end()));
    how_.batch = x[0], how_.channels = x[1], how_.outputs = y[1];
    how_.groups = node.get_int("group", 1), how_.offset_groups = node.get_int("offset_group", 1);
    for (size_t d = 0; d < 2; ++d) {
      how_.in[d] = x[d + 2], how_.out[d] = y[d + 2], how_.kernel[d] = window.kernel[d];
      how_.strides[d] = window.strides[d], how_.dilations[d] = window.dilations[d];
      how_.pads[d] = window.padding(d, x[d + 2]).first;
    }
  }
  void run(RunContext& context) const {
    DeformedConvolution how = how_;
    how.weights = context.input(1).data, how.offsets = context.input(2).data;
    if (context.has_input(3)) how.bias = context.input(3).data;
    if (context.has_input(4)) how.mask = context.input(4).data;
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  DeformLaunch launch_;
  DeformedConvolution how_;
};

}  // namespace

void kernels_onnx_deform_conv(provider::KernelTable& table) { add<DeformConv>(table, "", "DeformConv", "map"); }

}  // namespace onnxrun::cuda
