// Gemm: plain loops that serve every type; faster kernels come before them.
#include "cpu/kernels/fast_products.h"

#include <algorithm>
#include <cmath>
#include "cpu/loops/product.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

DType gemm_type(const Node& node) {
  switch (dtype(node.input(0))) {
    case DType::kInt32:
    case DType::kUint32: return DType::kUint32;
    case DType::kInt64:
    case DType::kUint64: return DType::kUint64;
    default: return work_float(node, 3);
  }
}

class Gemm {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Gemm(const Node& node)
      : type_(gemm_type(node)),
        signed_(base::is_signed_integer(dtype(node.input(0)))),
        operands_(node, 3, 1, type_, base::is_integer(type_) ? ~uint64_t{0} : 0),
        alpha_(node.get_float("alpha", 1)),
        beta_(node.get_float("beta", 1)) {
    const bool ta = node.get_int("transA", 0) != 0, tb = node.get_int("transB", 0) != 0;
    const auto a = provider::dims(node.input(0)), b = provider::dims(node.input(1));
    m_ = a[ta ? 1 : 0];
    k_ = a[ta ? 0 : 1];
    n_ = b[tb ? 0 : 1];
    a_row_ = ta ? 1 : k_;
    a_column_ = ta ? m_ : 1;
    b_row_ = tb ? 1 : n_;
    b_column_ = tb ? k_ : 1;
    if (!node.has_input(2)) return;
    const int64_t dims[] = {m_, n_};
    const base::Dims strides = base::broadcast_strides(provider::dims(node.input(2)), dims);
    c_row_ = strides[0];
    c_column_ = strides[1];
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    dispatch(Types<float, double, uint32_t, uint64_t>{}, type_, [&](auto type) {
      using T = typename decltype(type)::type;
      compute(context, arrays.template in<T>(0), arrays.template in<T>(1), arrays.template in<T>(2),
              arrays.template out<T>(0));
    });
    operands_.store(context, arrays);
  }

 private:
  template <class T>
  ProductSum<T> scaled(ProductSum<T> value, float factor) const {
    if constexpr (std::is_floating_point_v<T>) {
      return value * static_cast<double>(factor);
    } else {
      if (factor == 1) return value;
      const double real =
          signed_ ? static_cast<double>(static_cast<std::make_signed_t<T>>(value)) : static_cast<double>(value);
      const double result = std::clamp(real * static_cast<double>(factor), -9.2e18, 9.2e18);
      return std::isnan(result) ? T(0) : static_cast<T>(static_cast<int64_t>(result));
    }
  }

  template <class T>
  void compute(RunContext& context, const T* a, const T* b, const T* c, T* y) const {
    if (n_ == 0) return;
    const int64_t work = std::max<int64_t>(1, n_ * k_);
    context.parallel(m_, std::max<int64_t>(1, 16384 / work), [&](int64_t begin, int64_t end) {
      ProductSum<T> sums[kProductRow];
      for (int64_t row = begin; row < end; ++row) {
        if ((row & 15) == 0 && context.cancelled()) return;
        for (int64_t first = 0; first < n_; first += kProductRow) {
          const int64_t count = std::min(kProductRow, n_ - first);
          product_row(a, a_row_, a_column_, b, b_row_, b_column_, k_, row, first, count, sums);
          for (int64_t j = 0; j < count; ++j) {
            ProductSum<T> sum = scaled<T>(sums[j], alpha_);
            if (c != nullptr && beta_ != 0)
              sum += scaled<T>(static_cast<ProductSum<T>>(c[row * c_row_ + (first + j) * c_column_]), beta_);
            y[row * n_ + first + j] = static_cast<T>(sum);
          }
        }
      }
    });
    context.check_cancelled();
  }

  DType type_;
  bool signed_;
  WorkOperands operands_;
  float alpha_, beta_;
  int64_t m_ = 0, n_ = 0, k_ = 0;
  int64_t a_row_ = 0, a_column_ = 0, b_row_ = 0, b_column_ = 0, c_row_ = 0, c_column_ = 0;
};

}  // namespace

void kernels_onnx_gemm(provider::KernelTable& table) {
  add_fast_gemm(table);
  table.add<Gemm>("", "Gemm", "reference");
}

}  // namespace onnxrun::cpu
