// com.microsoft.DynamicQuantizeMatMul: A to uint8 by its own range, then a product in int32 that ends in float32.
#include <optional>

#include "cuda/device/quantize.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/integer_product.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/quantization.h"

namespace onnxrun::cuda {
namespace {

class DynamicQuantizeMatMul {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(1).rank != 2) return Acceptance::decline("takes one matrix on the right");
    for (const size_t i : {size_t{2}, size_t{3}})
      if (node.has_input(i) && (node.input(i).rank < 0 || node.input(i).rank > 1))
        return Acceptance::decline("scales or zero points of more than a vector");
    return IntegerMatrices::serves(DType::kUint8, dtype(node.input(1)), DType::kFloat32) ? Acceptance()
                                                                                         : no_kernel(node);
  }
  explicit DynamicQuantizeMatMul(const Node& node) {
    const auto a = provider::dims(node.input(0)), b = provider::dims(node.input(1));
    quantization_.count = quantization_.size = quantization_.block = provider::count(node.input(0));
    set_bounds(quantization_, DType::kUint8);
    product_.k = a.back(), product_.n = b[1];
    product_.m = product(a, 0, a.size() - 1);
    product_.b_zero.step = node.has_input(3) && provider::count(node.input(3)) != 1 ? 1 : 0;
    product_.ends.b_scale.step = provider::count(node.input(2)) != 1 ? 1 : 0;
    matrices_.emplace(product_, DType::kUint8, dtype(node.input(1)), DType::kFloat32);
  }
  // The product's, parts of the scale, the scale, the zero point, and A.
  size_t scratch_bytes() const { return a_place() + static_cast<size_t>(quantization_.count); }

  void run(RunContext& context) const {
    const Queue queue = queue_of(context);
    char* scratch = static_cast<char*>(context.scratch());
    auto* parts = reinterpret_cast<float*>(scratch + matrices_->scratch_bytes());
    float* scale = parts + 2 * kScaleParts;
    auto *zero = reinterpret_cast<uint8_t*>(scale + 1), *a = reinterpret_cast<uint8_t*>(scratch) + a_place();
    launch_dynamic_scale(queue, quantization_.count, context.in<float>(0), parts, scale, zero);
    Quantization quantization = quantization_;
    quantization.scale = scale, quantization.zero = zero;
    find_quantize(DType::kFloat32, DType::kUint8)(queue, quantization, context.input(0).data, a);
    IntegerProduct product = product_;
    product.a_zero.data = zero, product.ends.a_scale.data = scale;
    product.ends.b_scale.data = context.input(2).data;
    if (context.has_input(3)) product.b_zero.data = context.input(3).data;
    if (context.has_input(4)) product.ends.bias = context.in<float>(4);
    matrices_->run(stream_of(context), product, a, context.input(1).data, context.output(0).data, scratch);
  }

 private:
  size_t a_place() const { return matrices_->scratch_bytes() + 2 * kScaleParts * sizeof(float) + 256; }
  Quantization quantization_;
  IntegerProduct product_;
  std::optional<IntegerMatrices> matrices_;
};

}  // namespace

void kernels_microsoft_dynamic_quantize_matmul(provider::KernelTable& table) {
  add<DynamicQuantizeMatMul>(table, "com.microsoft", "DynamicQuantizeMatMul", "tiles");
}

}  // namespace onnxrun::cuda
