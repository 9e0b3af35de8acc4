// com.microsoft.QLinearAdd, QLinearMul, QLinearLeakyRelu and QLinearSigmoid.
#include "cuda/device/qlinear.h"
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

// Operands are a tensor, its scale and its zero point each; the result has the last two inputs.
class ByteKernel {
 public:
  static Acceptance accepts(const Node& node) { return find(node) == nullptr ? no_kernel(node) : Acceptance(); }
  explicit ByteKernel(const Node& node)
      : launch_(find(node)), two_(node.op() == "QLinearAdd" || node.op() == "QLinearMul") {
    const auto out = provider::dims(node.output(0));
    const auto steps = [&](size_t i) { return base::broadcast_strides(provider::dims(node.input(i)), out); };
    const auto axes = walk<2>(out, {steps(0), steps(two_ ? 3 : 0)});
    if (!axes) throw provider::Declined{fmt::format("a broadcast over more than {} axes", kMaxAxes)};
    axes_ = *axes;
    how_.alpha = node.get_float("alpha", 0.01f);
  }
  void run(RunContext& context) const {
    const auto scale = [&](size_t i) {
      return ByteScale{context.in<float>(i), context.has_input(i + 1) ? context.input(i + 1).data : nullptr};
    };
    ByteFunction how = how_;
    how.a = scale(1);
    if (two_) how.b = scale(4);
    how.y = scale(two_ ? 6 : 3);
    launch_(queue_of(context), how, axes_, context.input(0).data, two_ ? context.input(3).data : nullptr,
            context.output(0).data);
  }

 private:
  static ByteLaunch find(const Node& node) { return find_byte_function(node.op().substr(7), dtype(node.input(0))); }
  ByteLaunch launch_;
  bool two_;
  Axes<2> axes_;
  ByteFunction how_;
};

}  // namespace

void kernels_microsoft_qlinear_elementwise(provider::KernelTable& table) {
  for (const char* op : {"QLinearAdd", "QLinearMul", "QLinearLeakyRelu", "QLinearSigmoid"})
    add<ByteKernel>(table, "com.microsoft", op, "map");
}

}  // namespace onnxrun::cuda
