// MatMul, MatMulInteger and QLinearMatMul: plain loops that serve every type; faster kernels come before them.
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/product.h"
#include "cpu/loops/quantized.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

// The type to compute in: signed integers wrap as unsigned ones.
DType product_type(const Node& node) {
  switch (dtype(node.input(0))) {
    case DType::kInt32:
    case DType::kUint32: return DType::kUint32;
    case DType::kInt64:
    case DType::kUint64: return DType::kUint64;
    default: return work_float(node, 2);
  }
}

class MatMul {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit MatMul(const Node& node)
      : geometry_(node.input(0), node.input(1)),
        type_(product_type(node)),
        operands_(node, 2, 1, type_, base::is_integer(type_) ? ~uint64_t{0} : 0) {}
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    dispatch(Types<float, double, uint32_t, uint64_t>{}, type_, [&](auto type) {
      using T = typename decltype(type)::type;
      T* y = arrays.template out<T>(0);
      multiply_all(context, geometry_, arrays.template in<T>(0), arrays.template in<T>(1),
                   [&](int64_t product, int64_t row, int64_t first, const ProductSum<T>* sums, int64_t count) {
                     T* to = y + (product * geometry_.m + row) * geometry_.n + first;
                     for (int64_t j = 0; j < count; ++j) to[j] = static_cast<T>(sums[j]);
                   });
    });
    operands_.store(context, arrays);
  }

 private:
  ProductGeometry geometry_;
  DType type_;
  WorkOperands operands_;
};

// How a parameter with one element, one for each row or column, or one for each row or column of each matrix is indexed.
struct ParameterIndex {
  int64_t lines = 1, matrices = 1;  // of the matrix: rows or columns; 1 where one value serves all

  ParameterIndex() = default;
  ParameterIndex(const onnxrun_tensor& parameter, int64_t line_count, int64_t matrix_count) {
    if (!provider::present(parameter)) return;
    const int64_t count = provider::count(parameter);
    if (count == 1) return;
    lines = line_count;
    if (count == line_count) return;
    matrices = matrix_count;
    if (count != line_count * matrix_count)
      throw provider::Declined{"a scale or zero point is broadcast over some of the leading axes"};
  }
  int64_t operator()(int64_t matrix, int64_t line) const {
    return (matrices == 1 ? 0 : matrix * lines) + (lines == 1 ? 0 : line);
  }
};

// The values of both matrices in scratch, less their zero points; sums of products are exact in double.
class IntegerProduct {
 public:
  IntegerProduct(const Node& node, size_t a, size_t b, size_t a_zero, size_t b_zero)
      : inputs_{a, b, a_zero, b_zero},
        geometry_(node.input(a), node.input(b)),
        a_values_(node, a),
        b_values_(node, b),
        a_zeros_(node.input(a_zero), geometry_.m, matrices(a_values_, geometry_.m * geometry_.k)),
        b_zeros_(node.input(b_zero), geometry_.n, matrices(b_values_, geometry_.k * geometry_.n)) {}
  static int64_t matrices(const QuantizedValues& values, int64_t size) { return size == 0 ? 0 : values.count() / size; }
  size_t scratch_bytes() const { return a_values_.bytes() + b_values_.bytes(); }
  const ProductGeometry& geometry() const { return geometry_; }
  int64_t a_matrices() const { return matrices(a_values_, geometry_.m * geometry_.k); }
  int64_t b_matrices() const { return matrices(b_values_, geometry_.k * geometry_.n); }

  template <class Store>
  void run(RunContext& context, Store store) const {
    float* a = static_cast<float*>(context.scratch());
    float* b = a + a_values_.bytes() / sizeof(float);
    const ProductGeometry& g = geometry_;
    a_values_.load(
        context, inputs_[0], inputs_[2], [&](int64_t i) { return a_zeros_(i / (g.m * g.k), i / g.k % g.m); }, a);
    b_values_.load(
        context, inputs_[1], inputs_[3], [&](int64_t i) { return b_zeros_(i / (g.k * g.n), i % g.n); }, b);
    multiply_all(context, geometry_, a, b, store);
  }

 private:
  size_t inputs_[4];
  ProductGeometry geometry_;
  QuantizedValues a_values_, b_values_;
  ParameterIndex a_zeros_, b_zeros_;
};

class MatMulInteger {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit MatMulInteger(const Node& node) : product_(node, 0, 1, 2, 3) {}
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void run(RunContext& context) const {
    int32_t* y = context.out<int32_t>(0);
    const ProductGeometry& g = product_.geometry();
    product_.run(context, [&](int64_t product, int64_t row, int64_t first, const double* sums, int64_t count) {
      int32_t* to = y + (product * g.m + row) * g.n + first;
      for (int64_t j = 0; j < count; ++j) to[j] = static_cast<int32_t>(static_cast<int64_t>(sums[j]));
    });
  }

 private:
  IntegerProduct product_;
};

class QLinearMatMul {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit QLinearMatMul(const Node& node)
      : product_(node, 0, 3, 2, 5),
        a_scales_(node.input(1), product_.geometry().m, product_.a_matrices()),
        b_scales_(node.input(4), product_.geometry().n, product_.b_matrices()),
        quantize_(dtype(node.output(0))) {}
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void run(RunContext& context) const {
    const ProductGeometry& g = product_.geometry();
    const onnxrun_tensor &a_scale = context.input(1), &b_scale = context.input(4);
    const float y_scale = read_scale(context.input(6), 0), zero = quantize_.zero_point(context.input(7).data);
    void* y = context.out<void>(0);
    product_.run(context, [&](int64_t product, int64_t row, int64_t first, const double* sums, int64_t count) {
      const size_t which = static_cast<size_t>(product);
      const float left = read_scale(a_scale, a_scales_(g.a[which], row));
      for (int64_t j = 0; j < count; ++j) {
        const float scale = left * read_scale(b_scale, b_scales_(g.b[which], first + j)) / y_scale;
        quantize_.store(sums[j] * static_cast<double>(scale), zero, y, (product * g.m + row) * g.n + first + j);
      }
    });
  }

 private:
  IntegerProduct product_;
  ParameterIndex a_scales_, b_scales_;
  Requantizer quantize_;
};

}  // namespace

void kernels_onnx_matmul(provider::KernelTable& table) {
  add_fast_products(table);
  table.add<MatMul>("", "MatMul", "reference");
  table.add<MatMulInteger>("", "MatMulInteger", "reference");
  table.add<QLinearMatMul>("", "QLinearMatMul", "reference");
}

}  // namespace onnxrun::cpu
