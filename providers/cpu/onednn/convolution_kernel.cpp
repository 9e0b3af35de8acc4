// Conv, and FusedConv with what it adds and its activation, in float32 with constant weights by oneDNN.
#include "cpu/kernels/fast_products.h"

#include "base/parallel.h"
#include "cpu/loops/block_end.h"
#include "cpu/loops/rows.h"
#include "cpu/onednn/convolution.h"

namespace onnxrun::cpu {
namespace {

class Conv {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("computes in float32 only");
    const onnxrun_tensor& weights = node.input(1);
    if (weights.data == nullptr || !provider::shape_known(weights))
      return Acceptance::decline("the weights are not constant");
    const std::string reason = onednn::ConvolutionWeights::refuse(weights, node.get_int("group", 1));
    if (!reason.empty()) return Acceptance::decline(reason);
    if (!activation(node) || !end_of_convolution(node))
      return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    Acceptance acceptance;
    acceptance.pack(onednn::guarded([&] { return packing(node).packed.get_size(); }), {1});
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    packing(node).pack(static_cast<const float*>(node.input(1).data), bytes);
  }

  Conv(const Node& node, const void* packed)
      : packed_(packed),
        convolution_(
            onednn::guarded([&] { return packing(node); }),
            WindowGeometry(ops::read_window(node, kernel_of(node.input(1))), node.input(0), node.output(0)),
            {.bias = node.has_input(2), .activation = node.has_input(3) ? onednn::Activation{} : *activation(node)},
            node.threads() > 0 ? node.threads() : base::available_cpus()),
        end_(*end_of_convolution(node)),
        count_(provider::count(node.output(0))) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  size_t table_bytes() const { return convolution_.table_bytes(); }
  void run(RunContext& context) const {
    float* y = context.out<float>(0);
    convolution_.run(context, {.x = context.in<float>(0),
                               .weights = packed_,
                               .bias = context.has_input(2) ? context.in<float>(2) : nullptr,
                               .y = y,
                               .scratch = static_cast<char*>(context.scratch())});
    if (!context.has_input(3)) return;
    // What is added is plain, of which oneDNN's sum knows nothing here.
    const float* added = context.in<float>(3);
    context.parallel(count_, 16384, [&](int64_t begin, int64_t end) {
      row_functions().add_scaled(added + begin, 1.0f, y + begin, end - begin);
      end_.finish(y + begin, end - begin);
    });
  }

 private:
  static std::optional<onednn::Activation> activation(const Node& node) {
    return onednn::Activation::find(node.get_string("activation"), node.get_floats("activation_params"));
  }
  static onednn::ConvolutionWeights packing(const Node& node) { return {node.input(1), node.get_int("group", 1)}; }

  const void* packed_;
  onednn::Convolution convolution_;
  BlockEnd end_;
  int64_t count_;
};

}  // namespace

void add_onednn_convolutions(provider::KernelTable& table) {
  table.add<Conv>("", "Conv", "onednn");
  table.add<Conv>("com.microsoft", "FusedConv", "onednn");
}

}  // namespace onnxrun::cpu
