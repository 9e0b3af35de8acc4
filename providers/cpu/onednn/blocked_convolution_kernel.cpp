// BlockedConv in float32 with constant weights by oneDNN.
#include "base/parallel.h"
#include "cpu/kernels/blocked.h"
#include "cpu/loops/float_weights.h"
#include "cpu/onednn/convolution.h"

namespace onnxrun::cpu {
namespace {

using onednn::Activation;
using onednn::ConvolutionWeights;

std::optional<Activation> activation(const Node& node) {
  return Activation::find(node.get_string("activation"), node.get_floats("activation_params"));
}

class BlockedConv {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance acceptance = accept_blocked_by_onednn(node);
    if (!acceptance.declined()) acceptance.pack(onednn::guarded([&] { return packing(node).packed.get_size(); }), {1});
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) { packing(node).pack(FloatWeights(node.input(1)).data(), bytes); }

  BlockedConv(const Node& node, const void* packed)
      : packed_(packed),
        convolution_(onednn::guarded([&] { return packing(node); }), blocked_geometry(node),
                     {.blocked_source = !takes_plain(node),
                      .blocked_target = true,
                      .bias = node.has_input(2),
                      .added = node.has_input(3),
                      .activation = *activation(node)},
                     node.threads() > 0 ? node.threads() : base::available_cpus()) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  size_t table_bytes() const { return convolution_.table_bytes(); }
  void run(RunContext& context) const {
    convolution_.run(context, {.x = context.in<float>(0),
                               .weights = packed_,
                               .bias = context.has_input(2) ? context.in<float>(2) : nullptr,
                               .added = context.has_input(3) ? context.in<float>(3) : nullptr,
                               .y = context.out<float>(0),
                               .scratch = static_cast<char*>(context.scratch())});
  }

 private:
  static ConvolutionWeights packing(const Node& node) { return {node.input(1), node.get_int("group", 1)}; }

  const void* packed_;
  onednn::Convolution convolution_;
};

class Bound : public BlockedConvolution {
 public:
  Bound(const Node& node, const void* packed) : convolution_(node, packed) {}
  size_t scratch_bytes() const override { return convolution_.scratch_bytes(); }
  size_t table_bytes() const override { return convolution_.table_bytes(); }
  void run(RunContext& context) const override { convolution_.run(context); }

 private:
  BlockedConv convolution_;
};

}  // namespace

std::unique_ptr<const BlockedConvolution> onednn_blocked_convolution(const Node& node, const void* packed) {
  try {
    return std::make_unique<Bound>(node, packed);
  } catch (const provider::Declined&) {
    return nullptr;
  }
}

int64_t onednn_block() { return onednn::block(); }

Acceptance accept_blocked_by_onednn(const Node& node) {
  if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("computes in float32 only");
  if (node.get_int("block", 0) != onednn::block())
    return Acceptance::decline(fmt::format("blocks have {} channels here", onednn::block()));
  const onnxrun_tensor& weights = node.input(1);
  if (weights.data == nullptr || !provider::shape_known(weights))
    return Acceptance::decline("the weights are not constant");
  const std::string reason = ConvolutionWeights::refuse(weights, node.get_int("group", 1));
  if (!reason.empty()) return Acceptance::decline(reason);
  if (!activation(node)) return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
  if (node.input(0).rank < 0) return Acceptance::decline("the rank of the input is not known");
  return onednn::guarded([&] {
    const bool plain = ConvolutionWeights(weights, node.get_int("group", 1)).plain_input;
    if (plain != takes_plain(node))
      return Acceptance::decline(plain ? "so few channels are taken plain" : "so many channels are taken in blocks");
    return Acceptance();
  });
}

void add_onednn_blocked_convolutions(provider::KernelTable& table) {
  table.add<BlockedConv>("onnxrun", "BlockedConv", "onednn");
}

}  // namespace onnxrun::cpu
