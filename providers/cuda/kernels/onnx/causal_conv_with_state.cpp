// CausalConvWithState.
#include "cuda/device/linear_attention.h"
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

class CausalConvWithState {
 public:
  static Acceptance accepts(const Node& node) {
    return find_causal(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit CausalConvWithState(const Node& node) : launch_(find_causal(dtype(node.input(0)))) {
    const auto x = provider::dims(node.input(0));
    how_.rows = x[0] * x[1], how_.channels = x[1], how_.length = x[2];
    how_.carried = provider::dims(node.input(1))[2] - 1;
    how_.silu = node.get_string("activation", "none") != "none";
  }
  void run(RunContext& context) const {
    CausalConvolution how = how_;
    how.weight = context.input(1).data;
    if (context.has_input(2)) how.bias = context.input(2).data;
    if (context.has_input(3)) how.past = context.input(3).data;
    if (context.has_output(1)) how.present = context.output(1).data;
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  CausalLaunch launch_;
  CausalConvolution how_;
};

}  // namespace

void kernels_onnx_causal_conv_with_state(provider::KernelTable& table) {
  add<CausalConvWithState>(table, "", "CausalConvWithState", "map");
}

}  // namespace onnxrun::cuda
