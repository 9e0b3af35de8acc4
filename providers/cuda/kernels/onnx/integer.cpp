// MatMulInteger, QLinearMatMul and com.microsoft.MatMulIntegerToFloat of 8-bit integers.
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/kernels/integer_parameters.h"
#include "cuda/kernels/integer_product.h"

namespace onnxrun::cuda {
namespace {

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

class IntegerMatMul {
 public:
  static Acceptance accepts(const Node& node) {
    const ProductInputs in = ProductInputs::of(node);
    if (!IntegerMatrices::serves(dtype(node.input(0)), dtype(node.input(in.b)), dtype(node.output(0))))
      return no_types(node, in.b);
    if (in.y_scale != 0 && !scale_types(node, {in.a_scale, in.b_scale, in.y_scale}))
      return Acceptance::decline("scales of unusual types");
    if (in.bias == 0) return {};
    if (dtype(node.input(in.a_scale)) != DType::kFloat32) return Acceptance::decline("scales that are not float32");
    for (const size_t i : {in.a_zero, in.b_zero, in.a_scale, in.b_scale})
      if (node.has_input(i) && (node.input(i).rank < 0 || node.input(i).rank > 1))
        return Acceptance::decline("scales or zero points of more than a vector");
    return {};
  }
  explicit IntegerMatMul(const Node& node)
      : in_(ProductInputs::of(node)), unit_(base::dtype_bits(dtype(node.output(0))) / 8) {
    base::Dims a = dims(node.input(0)), b = dims(node.input(in_.b));
    if (a.size() == 1) a.insert(a.begin(), 1);
    if (b.size() == 1) b.push_back(1);
    how_.m = a[a.size() - 2], how_.k = a.back(), how_.n = b.back();
    a.resize(a.size() - 2);
    b.resize(b.size() - 2);
    how_.a_zero.step = step_of(node.input(in_.a_zero), how_.m);
    how_.b_zero.step = step_of(node.input(in_.b_zero), how_.n);
    if (in_.scaled()) {
      how_.ends.a_scale.step = step_of(node.input(in_.a_scale), how_.m);
      how_.ends.b_scale.step = step_of(node.input(in_.b_scale), how_.n);
      how_.ends.scale_type = dtype(node.input(in_.a_scale));
    }
    if (b.empty() && how_.a_zero.step == 0 && how_.ends.a_scale.step == 0) {
      // All rows of all matrices on the left meet the same matrix.
      how_.m *= base::element_count(a);
      a.clear();
    }
    matrices_.emplace(how_, dtype(node.input(0)), dtype(node.input(in_.b)), dtype(node.output(0)));
    const base::Dims batch = base::broadcast(a, b);
    const auto walk_of = walk<2>(batch, {base::broadcast_strides(a, batch), base::broadcast_strides(b, batch)});
    if (!walk_of) throw provider::Declined{"a batch of too many axes"};
    for (int64_t i = 0; i < walk_of->count; ++i) {
      int64_t at[2] = {0, 0}, rest = i;
      for (int d = walk_of->rank; d-- > 0; rest /= walk_of->dims[d])
        for (int k = 0; k < 2; ++k) at[k] += rest % walk_of->dims[d] * walk_of->steps[k][d];
      offsets_.push_back({at[0] * how_.m * how_.k, at[1] * how_.k * how_.n});
    }
  }
  size_t scratch_bytes() const { return matrices_->scratch_bytes(); }

  void run(RunContext& context) const {
    const auto data = [&](size_t i) { return i != 0 && context.has_input(i) ? context.input(i).data : nullptr; };
    IntegerProduct how = how_;
    how.a_zero.data = data(in_.a_zero), how.b_zero.data = data(in_.b_zero);
    how.ends.a_scale.data = data(in_.a_scale), how.ends.b_scale.data = data(in_.b_scale);
    how.ends.y_scale = data(in_.y_scale), how.ends.y_zero = data(in_.y_zero);
    how.ends.bias = static_cast<const float*>(data(in_.bias));
    for (size_t i = 0; i < offsets_.size(); ++i) {
      context.check_cancelled();
      matrices_->run(stream_of(context), how, context.in<char>(0) + offsets_[i].first,
                     context.in<char>(in_.b) + offsets_[i].second,
                     context.out<char>(0) + static_cast<int64_t>(i) * how_.m * how_.n * unit_, context.scratch());
    }
  }

 private:
  static base::Dims dims(const onnxrun_tensor& tensor) {
    const auto view = provider::dims(tensor);
    return {view.begin(), view.end()};
  }
  ProductInputs in_;
  int64_t unit_;
  IntegerProduct how_;
  std::optional<IntegerMatrices> matrices_;
  std::vector<std::pair<int64_t, int64_t>> offsets_;
};

}  // namespace

void kernels_onnx_integer(provider::KernelTable& table) {
  add<IntegerMatMul>(table, "", "MatMulInteger", "cublaslt");
  add<IntegerMatMul>(table, "", "QLinearMatMul", "cublaslt");
  add<IntegerMatMul>(table, "com.microsoft", "MatMulIntegerToFloat", "cublaslt");
}

}  // namespace onnxrun::cuda
