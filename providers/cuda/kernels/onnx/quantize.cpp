// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear of whole-byte integers.
#include "cuda/device/quantize.h"

#include <algorithm>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "ops/attributes/quantize.h"

namespace onnxrun::cuda {
namespace {

Quantization quantization_of(const Node& node) {
  const auto view = ops::attributes::quantize_view(node, provider::dims(node.input(0)), provider::dims(node.input(1)));
  using ops::attributes::Granularity;
  Quantization how;
  how.count = provider::count(node.input(0));
  how.size = std::max<int64_t>(view.size, 1), how.inner = std::max<int64_t>(view.inner, 1);
  how.block = view.granularity == Granularity::kBlocks ? view.block
              : view.granularity == Granularity::kAxis ? 1
                                                       : how.size;
  how.blocks = view.granularity == Granularity::kBlocks ? view.blocks() : 1;
  how.by_outer = view.granularity == Granularity::kBlocks;
  how.scale_inner = view.granularity == Granularity::kBlocks ? how.inner : 1;
  how.scale_type = dtype(node.input(1));
  return how;
}

bool float_scale(const Node& node) {
  const DType scale = dtype(node.input(1));
  return scale == DType::kFloat32 || scale == DType::kFloat16 || scale == DType::kBfloat16;
}

template <bool kTo>
class Linear {
 public:
  static Acceptance accepts(const Node& node) {
    if (find(node) != nullptr && float_scale(node)) return {};
    return Acceptance::decline(fmt::format("no kernel for {} to {}", base::dtype_name(dtype(node.input(0))),
                                           base::dtype_name(dtype(node.output(0)))));
  }
  explicit Linear(const Node& node) : launch_(find(node)), how_(quantization_of(node)) {
    const int64_t precision = node.get_int("precision", 0);
    how_.precision = precision != 0 ? static_cast<DType>(precision) : dtype(node.input(1));
  }
  void run(RunContext& context) const {
    Quantization how = how_;
    how.scale = context.input(1).data;
    if (context.has_input(2)) how.zero = context.input(2).data;
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  static QuantizeLaunch find(const Node& node) {
    const DType from = dtype(node.input(0)), to = dtype(node.output(0));
    return kTo ? find_quantize(from, to) : find_dequantize(from, to);
  }
  QuantizeLaunch launch_;
  Quantization how_;
};

class Dynamic {
 public:
  static Acceptance accepts(const Node& node) {
    if (!node.has_output(0) || !node.has_output(1) || !node.has_output(2))
      return Acceptance::decline("takes nodes with all three outputs");
    return dtype(node.input(0)) == DType::kFloat32 ? Acceptance() : no_kernel(node);
  }
  explicit Dynamic(const Node& node) { how_.count = how_.size = how_.block = provider::count(node.input(0)); }
  void run(RunContext& context) const {
    const Queue queue = queue_of(context);
    launch_dynamic_scale(queue, how_.count, context.in<float>(0), context.out<float>(1), context.out<uint8_t>(2));
    Quantization how = how_;
    how.scale = context.output(1).data, how.zero = context.output(2).data;
    find_quantize(DType::kFloat32, DType::kUint8)(queue, how, context.input(0).data, context.output(0).data);
  }

 private:
  Quantization how_;
};

}  // namespace

void kernels_onnx_quantize(provider::KernelTable& table) {
  add<Linear<true>>(table, "", "QuantizeLinear", "map");
  add<Linear<false>>(table, "", "DequantizeLinear", "map");
  add<Dynamic>(table, "", "DynamicQuantizeLinear", "map");
}

}  // namespace onnxrun::cuda
