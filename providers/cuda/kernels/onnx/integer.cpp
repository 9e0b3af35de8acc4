// MatMulInteger, QLinearMatMul, com.microsoft.MatMulIntegerToFloat, ConvInteger and QLinearConv of 8-bit integers.
#include "cuda/device/integer.h"

#include <cstddef>
#include <vector>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "ops/attributes/window.h"

namespace onnxrun::cuda {
namespace {

Acceptance no_types(const Node& node, size_t second) {
  return Acceptance::decline(fmt::format("no kernel for {} and {}", base::dtype_name(dtype(node.input(0))),
                                         base::dtype_name(dtype(node.input(second)))));
}

bool scale_types(const Node& node, std::initializer_list<size_t> scales) {
  const DType first = dtype(node.input(*scales.begin()));
  for (const size_t i : scales)
    if (dtype(node.input(i)) != first) return false;
  return first == DType::kFloat32 || first == DType::kFloat16 || first == DType::kBfloat16;
}

// The step along `lines` lines of a parameter of one element or of one a line; throws Declined for others.
int64_t step_of(const onnxrun_tensor& parameter, int64_t lines) {
  if (!provider::present(parameter)) return 0;
  const int64_t count = provider::count(parameter);
  if (count == 1) return 0;
  if (count != lines) throw provider::Declined{"scales or zero points that differ between matrices"};
  return 1;
}

// Where a product's inputs are; 0: it has none.
struct ProductInputs {
  size_t b = 1, a_zero = 2, b_zero = 3, a_scale = 0, b_scale = 0, y_scale = 0, y_zero = 0, bias = 0;

  static ProductInputs of(const Node& node) {
    if (node.op() == "QLinearMatMul") return {3, 2, 5, 1, 4, 6, 7, 0};
    if (node.op() == "MatMulIntegerToFloat") return {1, 4, 5, 2, 3, 0, 0, 6};
    return {};
  }
  bool scaled() const { return a_scale != 0; }
};

class Product {
 public:
  static Acceptance accepts(const Node& node) {
    const ProductInputs in = ProductInputs::of(node);
    if (find(node) == nullptr) return no_types(node, in.b);
    if (in.y_scale != 0 && !scale_types(node, {in.a_scale, in.b_scale, in.y_scale}))
      return Acceptance::decline("scales of unusual types");
    if (in.bias == 0) return {};
    if (dtype(node.input(in.a_scale)) != DType::kFloat32) return Acceptance::decline("scales that are not float32");
    for (const size_t i : {in.a_zero, in.b_zero, in.a_scale, in.b_scale})
      if (node.has_input(i) && (node.input(i).rank < 0 || node.input(i).rank > 1))
        return Acceptance::decline("scales or zero points of more than a vector");
    return {};
  }
  explicit Product(const Node& node)
      : launch_(find(node)), in_(ProductInputs::of(node)), unit_(base::dtype_bits(dtype(node.output(0))) / 8) {
    base::Dims a = dims(node.input(0)), b = dims(node.input(in_.b));
    if (a.size() == 1) a.insert(a.begin(), 1);
    if (b.size() == 1) b.push_back(1);
    how_.m = a[a.size() - 2], how_.k = a.back(), how_.n = b.back();
    a.resize(a.size() - 2);
    b.resize(b.size() - 2);
    const base::Dims batch = base::broadcast(a, b);
    const auto walk_of = walk<2>(batch, {base::broadcast_strides(a, batch), base::broadcast_strides(b, batch)});
    if (!walk_of) throw provider::Declined{"a batch of too many axes"};
    for (int64_t i = 0; i < walk_of->count; ++i) {
      int64_t at[2] = {0, 0}, rest = i;
      for (int d = walk_of->rank; d-- > 0; rest /= walk_of->dims[d])
        for (int k = 0; k < 2; ++k) at[k] += rest % walk_of->dims[d] * walk_of->steps[k][d];
      offsets_.push_back({at[0] * how_.m * how_.k, at[1] * how_.k * how_.n});
    }
    how_.a_zero.step = step_of(node.input(in_.a_zero), how_.m);
    how_.b_zero.step = step_of(node.input(in_.b_zero), how_.n);
    if (!in_.scaled()) return;
    how_.ends.a_scale.step = step_of(node.input(in_.a_scale), how_.m);
    how_.ends.b_scale.step = step_of(node.input(in_.b_scale), how_.n);
    how_.ends.scale_type = dtype(node.input(in_.a_scale));
  }
  void run(RunContext& context) const {
    const auto data = [&](size_t i) { return i != 0 && context.has_input(i) ? context.input(i).data : nullptr; };
    IntegerProduct how = how_;
    how.a_zero.data = data(in_.a_zero), how.b_zero.data = data(in_.b_zero);
    how.ends.a_scale.data = data(in_.a_scale), how.ends.b_scale.data = data(in_.b_scale);
    how.ends.y_scale = data(in_.y_scale), how.ends.y_zero = data(in_.y_zero);
    how.ends.bias = static_cast<const float*>(data(in_.bias));
    const Queue queue = queue_of(context);
    for (size_t i = 0; i < offsets_.size(); ++i)
      launch_(queue, how, context.in<char>(0) + offsets_[i].first, context.in<char>(in_.b) + offsets_[i].second,
              context.out<char>(0) + static_cast<int64_t>(i) * how_.m * how_.n * unit_);
  }

 private:
  static IntegerProductLaunch find(const Node& node) {
    return find_integer_product(dtype(node.input(0)), dtype(node.input(ProductInputs::of(node).b)),
                                dtype(node.output(0)));
  }
  static base::Dims dims(const onnxrun_tensor& tensor) {
    const auto view = provider::dims(tensor);
    return {view.begin(), view.end()};
  }
  IntegerProductLaunch launch_;
  ProductInputs in_;
  int64_t unit_;
  IntegerProduct how_;
  std::vector<std::pair<int64_t, int64_t>> offsets_;
};

class Conv {
 public:
  static Acceptance accepts(const Node& node) {
    if (find(node) == nullptr) return no_types(node, weights(node));
    if (linear(node) && !scale_types(node, {1, 4, 6})) return Acceptance::decline("scales of unusual types");
    return node.input(0).rank > 5 ? Acceptance::decline("more than 3 spatial axes") : Acceptance();
  }
  explicit Conv(const Node& node) : launch_(find(node)), linear_(linear(node)) {
    const auto x = provider::dims(node.input(0)), w = provider::dims(node.input(weights(node))),
               y = provider::dims(node.output(0));
    const ops::Window window = ops::read_window(node, {w.begin() + 2, w.end()});
    how_.batch = x[0], how_.channels = x[1], how_.filters = w[0], how_.groups = node.get_int("group", 1);
    const size_t first = 3 - window.rank();
    for (size_t d = 0; d < window.rank(); ++d) {
      how_.in[first + d] = x[d + 2], how_.out[first + d] = y[d + 2], how_.kernel[first + d] = window.kernel[d];
      how_.strides[first + d] = window.strides[d], how_.dilations[first + d] = window.dilations[d];
      how_.begin[first + d] = window.padding(d, x[d + 2]).first;
    }
    how_.w_zero.step = step_of(node.input(linear_ ? 5 : 3), how_.filters);
    if (!linear_) return;
    how_.ends.b_scale.step = step_of(node.input(4), how_.filters);
    how_.ends.scale_type = dtype(node.input(1));
  }
  void run(RunContext& context) const {
    const auto data = [&](size_t i) { return context.has_input(i) ? context.input(i).data : nullptr; };
    IntegerConvolution how = how_;
    how.x_zero.data = data(2);
    how.w_zero.data = data(linear_ ? 5 : 3);
    if (linear_) {
      how.ends.a_scale.data = data(1), how.ends.b_scale.data = data(4);
      how.ends.y_scale = data(6), how.ends.y_zero = data(7);
      how.bias = static_cast<const int32_t*>(data(8));
    }
    launch_(queue_of(context), how, context.input(0).data, context.input(linear_ ? 3 : 1).data, context.output(0).data);
  }

 private:
  static bool linear(const Node& node) { return node.op() == "QLinearConv"; }
  static size_t weights(const Node& node) { return linear(node) ? 3 : 1; }
  static IntegerConvolutionLaunch find(const Node& node) {
    return find_integer_convolution(dtype(node.input(0)), dtype(node.input(weights(node))), dtype(node.output(0)));
  }
  IntegerConvolutionLaunch launch_;
  bool linear_;
  IntegerConvolution how_;
};

}  // namespace

void kernels_onnx_integer(provider::KernelTable& table) {
  add<Product>(table, "", "MatMulInteger", "tiles");
  add<Product>(table, "", "QLinearMatMul", "tiles");
  add<Product>(table, "com.microsoft", "MatMulIntegerToFloat", "tiles");
  add<Conv>(table, "", "ConvInteger", "direct");
  add<Conv>(table, "", "QLinearConv", "direct");
}

}  // namespace onnxrun::cuda
