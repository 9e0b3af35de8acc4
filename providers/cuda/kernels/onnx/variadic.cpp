// Max, Min, Sum and Mean of any number of inputs: one after the other onto the output.
#include <vector>

#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

class Variadic {
 public:
  static Acceptance accepts(const Node& node) {
    if (step(node) == nullptr) return no_kernel(node);
    if (node.op() == "Mean" && find_share(node) == nullptr) return no_kernel(node);
    return {};
  }
  explicit Variadic(const Node& node) : step_(step(node)), inputs_(node.input_count()) {
    const auto out = provider::dims(node.output(0));
    const base::Dims own = base::contiguous_strides(out);
    for (size_t k = 0; k < inputs_; ++k) {
      const base::Dims next = base::broadcast_strides(provider::dims(node.input(k)), out);
      // The first step takes the first two inputs, each other one the output and one more.
      const base::Dims before = k == 1 ? base::broadcast_strides(provider::dims(node.input(0)), out) : own;
      const auto axes = walk<2>(out, {before, next});
      if (!axes) throw provider::Declined{fmt::format("a broadcast over more than {} axes", kMaxAxes)};
      axes_.push_back(*axes);
    }
    if (node.op() == "Mean") share_ = find_share(node);
    formula_.alpha = static_cast<float>(inputs_);
    unit_ = static_cast<size_t>(base::dtype_bits(dtype(node.output(0)))) / 8;
  }
  void run(RunContext& context) const {
    const Queue queue = queue_of(context);
    void* y = context.output(0).data;
    const int64_t count = axes_[0].count;
    if (inputs_ == 1) {
      stream_of(context).move(context.input(0).data, y, static_cast<size_t>(count) * unit_);
    } else {
      for (size_t k = 1; k < inputs_; ++k)
        step_(queue, {}, axes_[k], k == 1 ? context.input(0).data : y, context.input(k).data, y);
    }
    if (share_ != nullptr) share_(queue, formula_, y, y, count);
  }

 private:
  static BinaryLaunch step(const Node& node) {
    const bool sum = node.op() == "Sum" || node.op() == "Mean";
    return find_binary(sum ? "Add" : node.op(), dtype(node.input(0)));
  }
  // Division by alpha.
  static UnaryLaunch find_share(const Node& node) { return find_activation("Share", dtype(node.input(0))); }

  BinaryLaunch step_;
  size_t inputs_;
  std::vector<Axes<2>> axes_;
  UnaryLaunch share_ = nullptr;
  Formula formula_;
  size_t unit_ = 0;
};

}  // namespace

void kernels_onnx_variadic(provider::KernelTable& table) {
  for (const char* op : {"Max", "Min", "Sum", "Mean"}) add<Variadic>(table, "", op, "map");
}

}  // namespace onnxrun::cuda
