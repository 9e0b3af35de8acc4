// QuantizeLinear and DequantizeLinear of whole-byte integers and float8, and DynamicQuantizeLinear.
#include "cuda/device/quantize.h"

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/quantization.h"

namespace onnxrun::cuda {
namespace {

template <bool kTo>
class Linear {
 public:
  static Acceptance accepts(const Node& node) {
    if (find(node) != nullptr && has_float_scale(node)) return {};
    return Acceptance::decline(fmt::format("no kernel for {} to {}", base::dtype_name(dtype(node.input(0))),
                                           base::dtype_name(dtype(node.output(0)))));
  }
  explicit Linear(const Node& node) : launch_(find(node)), how_(quantization_of(node)) {
    if (kTo) set_bounds(how_, dtype(node.output(0)));
    how_.saturate = node.get_int("saturate", 1) != 0;
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
    return dtype(node.input(0)) == DType::kFloat32 ? Acceptance() : no_kernel(node);
  }
  explicit Dynamic(const Node& node) {
    how_.count = how_.size = how_.block = provider::count(node.input(0));
    set_bounds(how_, DType::kUint8);
  }
  // For parts of the scale, and for a scale and a zero point that are no outputs.
  size_t scratch_bytes() const { return (2 * kScaleParts + 2) * sizeof(float); }

  void run(RunContext& context) const {
    const Queue queue = queue_of(context);
    auto* parts = static_cast<float*>(context.scratch());
    auto* scratch = parts + 2 * kScaleParts;
    auto* scale = context.has_output(1) ? context.out<float>(1) : scratch;
    auto* zero = context.has_output(2) ? context.out<uint8_t>(2) : reinterpret_cast<uint8_t*>(scratch + 1);
    launch_dynamic_scale(queue, how_.count, context.in<float>(0), parts, scale, zero);
    if (!context.has_output(0)) return;
    Quantization how = how_;
    how.scale = scale, how.zero = zero;
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
