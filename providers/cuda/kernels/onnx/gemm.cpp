// Gemm and FusedGemm by cuBLASLt: a row of biases and Relu in its epilogue, any other C copied to the output first.
#include <vector>

#include "cuda/device/copy.h"
#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ending.h"
#include "cuda/kernels/fill.h"

namespace onnxrun::cuda {
namespace {

std::optional<Ending> ending_of(const Node& node) {
  std::vector<float> parameters;
  if (node.has("activation_alpha")) parameters.push_back(node.get_float("activation_alpha", 0));
  if (node.has("activation_beta")) {
    if (parameters.empty()) return std::nullopt;
    parameters.push_back(node.get_float("activation_beta", 0));
  }
  return Ending::find(node.get_string("activation"), parameters, dtype(node.input(0)));
}

class Gemm {
 public:
  static Acceptance accepts(const Node& node) {
    if (!Product::serves(dtype(node.input(0)))) return no_kernel(node);
    if (!ending_of(node)) return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    return {};
  }

  explicit Gemm(const Node& node)
      : type_(dtype(node.input(0))), bytes_(base::dtype_bits(type_) / 8), ending_(*ending_of(node)) {
    const auto a = provider::dims(node.input(0)), b = provider::dims(node.input(1));
    ProductShape shape;
    shape.a_transposed = node.get_int("transA", 0) != 0;
    shape.b_transposed = node.get_int("transB", 0) != 0;
    shape.m = a[shape.a_transposed ? 1 : 0];
    shape.k = a[shape.a_transposed ? 0 : 1];
    shape.n = b[shape.b_transposed ? 0 : 1];
    shape.alpha = static_cast<double>(node.get_float("alpha", 1));
    const float beta = node.get_float("beta", 1);
    count_ = shape.m * shape.n;
    if (count_ == 0) return;
    const base::Dims out = {shape.m, shape.n};
    if (node.has_input(2) && beta != 0) {
      const base::Dims steps = base::broadcast_strides(provider::dims(node.input(2)), out);
      shape.bias = beta == 1.0f && shape.k != 0 && (shape.m == 1 || steps[0] == 0) && (steps[1] == 1);
      if (!shape.bias) {
        shape.beta = static_cast<double>(beta);
        copy_ = true;
        addend_ = *walk<2>(out, {steps, base::contiguous_strides(out)});
      }
    }
    biased_ = shape.bias;
    // The epilogue has Relu; what else ends the product is applied to its result.
    shape.relu = ending_.clamps && ending_.low == 0 && ending_.high == std::numeric_limits<float>::infinity();
    clamps_ = ending_.clamps && !shape.relu;
    scale_ = beta;
    if (shape.k > 0) products_.emplace_back(type_, node.precision(), shape);
    else if (ending_.clamps) clamps_ = true;
  }

  size_t scratch_bytes() const { return products_.empty() ? 0 : Product::kWorkspace; }

  void run(RunContext& context) const {
    if (count_ == 0) return;
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    void* y = context.output(0).data;
    if (copy_) launch_copy(queue, addend_, bytes_, context.input(2).data, y);
    else if (products_.empty()) fill_zero(stream, y, static_cast<size_t>(count_) * static_cast<size_t>(bytes_));
    if (!products_.empty()) {
      products_[0].run(stream, context.input(0).data, context.input(1).data, biased_ ? context.input(2).data : nullptr,
                       y, context.scratch());
    } else if (copy_ && scale_ != 1.0f) {
      Formula scale;
      scale.alpha = scale_;
      find_activation("Scale", type_)(queue, scale, y, y, count_);
    }
    if (clamps_) {
      ChannelEnd end;
      end.count = count_, end.clamps = true, end.low = ending_.low, end.high = ending_.high;
      launch_channel_end(queue, type_, end, y);
    }
    if (ending_.launch != nullptr) ending_.launch(queue, ending_.formula, y, y, count_);
  }

 private:
  DType type_;
  int bytes_;
  Ending ending_;
  int64_t count_ = 0;
  bool copy_ = false, biased_ = false, clamps_ = false;
  float scale_ = 1;
  Axes<2> addend_;
  std::vector<Product> products_;  // one, or none where there is nothing to multiply
};

}  // namespace

void kernels_onnx_gemm(provider::KernelTable& table) {
  add<Gemm>(table, "", "Gemm", "cublaslt");
  add<Gemm>(table, "com.microsoft", "FusedGemm", "cublaslt");
}

}  // namespace onnxrun::cuda
