// Min, Max, Sum and Mean of any number of inputs: the first two give the output, each further one is folded into it.
#include <cstring>
#include <vector>

#include "cpu/loops/fast.h"
#include "cpu/loops/number_functions.h"

namespace onnxrun::cpu {
namespace {

using numbers::Max;
using numbers::Min;

struct Sum {
  template <class T>
  static T of(T a, T b) {
    return a + b;
  }
};

template <class T>
void scale_row(const Row& row) {
  const T count = T(*static_cast<const int64_t*>(row.parameters));
  unary_row<T, T>(row, [&](T x) { return x / count; });
}

template <class F, class List>
RowKernel fold(DType type) {
  RowKernel result = nullptr;
  dispatch(List{}, type, [&](auto t) { result = binary_kernel<F, typename decltype(t)::type>; });
  return result;
}

template <bool kSimd>
RowKernel fold_of(const Node& node, DType work) {
  if (kSimd) {
    const bool sum = node.op() == "Sum" || node.op() == "Mean";
    return work == DType::kFloat32 ? simd::float_row(sum ? "Sum" : node.op())
                                   : simd::number_row(sum ? "Add" : node.op(), work);
  }
  if (node.op() == "Min") return fold<Min, WideNumbers>(work);
  if (node.op() == "Max") return fold<Max, WideNumbers>(work);
  return fold<Sum, WideFloats>(work);
}

// With the kernels of kernels/simd/, or the plain ones of all types.
template <bool kSimd>
class Variadic {
 public:
  static Acceptance accepts(const Node& node) {
    if (fold_of<kSimd>(node, work_type(dtype(node.input(0)))) == nullptr)
      return Acceptance::decline(fmt::format("no {} for {}", node.op(), base::dtype_name(dtype(node.input(0)))));
    return node.input_count() <= 2 ? accept_elementwise(node, node.input_count()) : Acceptance();
  }

  explicit Variadic(const Node& node) : count_(static_cast<int64_t>(node.input_count())) {
    const DType work = work_type(dtype(node.input(0)));
    const onnxrun_tensor& output = node.output(0);
    bytes_ = base::dtype_bytes(dtype(output), provider::count(output));
    for (size_t i = 1; i < node.input_count(); ++i) {
      const onnxrun_tensor operands[2] = {i == 1 ? node.input(0) : output, node.input(i)};
      folds_.emplace_back(operands, output, all_in(work, fold_of<kSimd>(node, work)));
    }
    if (node.op() == "Mean" && count_ > 1) {
      const RowKernel scale = work == DType::kFloat64 ? scale_row<double> : scale_row<float>;
      scale_ = ElementwiseLoop({&output, 1}, output, all_in(work, scale));
      scales_ = true;
    }
  }

  void run(RunContext& context) const {
    void* out = context.output(0).data;
    if (folds_.empty() && out != context.input(0).data && bytes_ != 0) std::memcpy(out, context.input(0).data, bytes_);
    for (size_t i = 0; i < folds_.size(); ++i) {
      const void* operands[] = {i == 0 ? context.input(0).data : out, context.input(i + 1).data};
      folds_[i].run(context, operands, out, nullptr);
    }
    const void* sum = out;
    if (scales_) scale_.run(context, &sum, out, &count_);
  }

 private:
  int64_t count_;
  size_t bytes_;
  std::vector<ElementwiseLoop> folds_;
  ElementwiseLoop scale_;
  bool scales_ = false;
};

}  // namespace

void kernels_onnx_variadic(provider::KernelTable& table) {
  for (const char* op : {"Min", "Max", "Sum", "Mean"}) {
    table.add<Variadic<true>>("", op, "simd");
    table.add<Variadic<false>>("", op, "reference");
  }
}

}  // namespace onnxrun::cpu
