// MatMul and Gemm in float32 with the right operand in panels: packed ahead where it is constant, in scratch where it is not.
#include "cpu/kernels/fast_products.h"

#include <algorithm>
#include "cpu/loops/panel_product.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

bool computes_in_float(const onnxrun_tensor& tensor) {
  const DType type = dtype(tensor);
  return type == DType::kFloat32 || type == DType::kFloat16 || type == DType::kBfloat16;
}

size_t rounded(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

// Constant matrices [.., k, n] (or, transposed, [n, k]) of any of the narrow types, packed.
struct ConstantMatrices {
  int64_t count = 1, k = 1, n = 1;
  bool transposed = false;

  ConstantMatrices(const onnxrun_tensor& b, bool transpose) : transposed(transpose) {
    const auto dims = provider::dims(b);
    if (dims.size() == 1) {
      k = dims[0];
    } else {
      k = dims[dims.size() - 2];
      n = dims.back();
      if (transpose) std::swap(k, n);
    }
    for (size_t d = 0; d + 2 < dims.size(); ++d) count *= dims[d];
  }
  uint64_t bytes() const {
    return static_cast<uint64_t>(base::checked_mul(base::checked_mul(count, panel_floats(k, n)), 4));
  }

  void pack(const onnxrun_tensor& b, float scale, void* bytes) const {
    const Converter convert = converter(dtype(b), DType::kFloat32);
    std::vector<float> values;
    const float* from = static_cast<const float*>(b.data);
    if (dtype(b) != DType::kFloat32 || scale != 1) {
      values.resize(static_cast<size_t>(provider::count(b)));
      convert(b.data, values.data(), provider::count(b));
      for (float& value : values) value *= scale;
      from = values.data();
    }
    for (int64_t i = 0; i < count; ++i)
      pack_panels(from + i * k * n, transposed ? 1 : n, transposed ? k : 1, k, n,
                  static_cast<float*>(bytes) + i * panel_floats(k, n));
  }
};

class MatMul {
 public:
  static Acceptance accepts(const Node& node) {
    if (!computes_in_float(node.input(0))) return Acceptance::decline("computes in float32 only");
    Acceptance acceptance;
    if (node.input(1).data != nullptr && provider::shape_known(node.input(1)) && provider::count(node.input(1)) > 0)
      acceptance.pack(ConstantMatrices(node.input(1), false).bytes(), {1});
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    ConstantMatrices(node.input(1), false).pack(node.input(1), 1, bytes);
  }

  MatMul(const Node& node, const void* packed)
      : packed_(static_cast<const float*>(packed)),
        geometry_(node.input(0), node.input(1)),
        operands_(node, 2, 1, DType::kFloat32, packed != nullptr ? 2 : 0),
        matrices_(ConstantMatrices(node.input(1), false).count) {
    if (geometry_.batch > 1 && geometry_.one_b() && geometry_.each_a()) {
      geometry_.m *= geometry_.batch;
      geometry_.batch = 1;
      geometry_.a = {0};
      geometry_.b.resize(1);
    }
  }
  size_t scratch_bytes() const {
    const int64_t floats = packed_ != nullptr ? 0 : loose_scratch_floats(matrices_, geometry_.k, geometry_.n);
    return operands_.scratch_bytes() + static_cast<size_t>(floats) * sizeof(float);
  }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    if (packed_ != nullptr) {
      multiply_packed(context, geometry_, arrays.in<float>(0), packed_, false, arrays.out<float>(0));
    } else {
      auto* scratch = reinterpret_cast<float*>(static_cast<char*>(context.scratch()) + operands_.scratch_bytes());
      const LooseMatrices b{arrays.in<float>(1), matrices_, geometry_.n, 1};
      multiply_loose(context, geometry_, arrays.in<float>(0), b, scratch, false, arrays.out<float>(0));
    }
    operands_.store(context, arrays);
  }

 private:
  const float* packed_;
  ProductGeometry geometry_;
  WorkOperands operands_;
  int64_t matrices_;
};

class Gemm {
 public:
  static Acceptance accepts(const Node& node) {
    if (!computes_in_float(node.input(0))) return Acceptance::decline("computes in float32 only");
    Acceptance acceptance;
    if (node.input(1).data != nullptr && provider::shape_known(node.input(1)) && provider::count(node.input(1)) > 0)
      acceptance.pack(ConstantMatrices(node.input(1), node.get_int("transB", 0) != 0).bytes(), {1});
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    ConstantMatrices(node.input(1), node.get_int("transB", 0) != 0)
        .pack(node.input(1), node.get_float("alpha", 1), bytes);
  }

  Gemm(const Node& node, const void* packed)
      : packed_(static_cast<const float*>(packed)),
        operands_(node, 3, 1, DType::kFloat32, packed != nullptr ? 2 : 0),
        alpha_(node.get_float("alpha", 1)),
        beta_(node.get_float("beta", 1)),
        transpose_a_(node.get_int("transA", 0) != 0),
        transpose_b_(node.get_int("transB", 0) != 0) {
    const auto a = provider::dims(node.input(0)), b = provider::dims(node.input(1));
    g_.m = a[transpose_a_ ? 1 : 0];
    g_.k = a[transpose_a_ ? 0 : 1];
    g_.n = b[transpose_b_ ? 0 : 1];
    g_.a = g_.b = {0};
    const int64_t dims[] = {g_.m, g_.n};
    if (!node.has_input(2) || beta_ == 0) return;
    adds_ = true;
    const base::Dims strides = base::broadcast_strides(provider::dims(node.input(2)), dims);
    c_row_ = strides[0];
    c_column_ = strides[1];
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes() + a_bytes() + b_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    char* scratch = static_cast<char*>(context.scratch()) + operands_.scratch_bytes();
    const float* a = arrays.in<float>(0);
    if (transpose_a_) {
      float* to = reinterpret_cast<float*>(scratch);
      for (int64_t i = 0; i < g_.m; ++i)
        for (int64_t p = 0; p < g_.k; ++p) to[i * g_.k + p] = a[p * g_.m + i];
      a = to;
    }
    float* y = arrays.out<float>(0);
    if (adds_) start_with_c(arrays.in<float>(2), y);
    if (packed_ != nullptr) {
      multiply_packed(context, g_, a, packed_, adds_, y);
    } else {
      const LooseMatrices b{arrays.in<float>(1), 1, transpose_b_ ? 1 : g_.n, transpose_b_ ? g_.k : 1, alpha_};
      multiply_loose(context, g_, a, b, reinterpret_cast<float*>(scratch + a_bytes()), adds_, y);
    }
    operands_.store(context, arrays);
  }

 private:
  size_t a_bytes() const { return transpose_a_ ? rounded(static_cast<size_t>(g_.m * g_.k) * sizeof(float)) : 0; }
  size_t b_bytes() const {
    return packed_ != nullptr ? 0 : static_cast<size_t>(loose_scratch_floats(1, g_.k, g_.n)) * sizeof(float);
  }

  void start_with_c(const float* c, float* y) const {
    for (int64_t i = 0; i < g_.m; ++i, y += g_.n) {
      const float* from = c + i * c_row_;
      if (c_column_ == 0) std::fill_n(y, g_.n, *from * beta_);
      else if (beta_ == 1) std::copy_n(from, g_.n, y);
      else
        for (int64_t j = 0; j < g_.n; ++j) y[j] = from[j] * beta_;
    }
  }

  const float* packed_;
  WorkOperands operands_;
  float alpha_, beta_;
  bool transpose_a_, transpose_b_, adds_ = false;
  ProductGeometry g_;
  int64_t c_row_ = 0, c_column_ = 0;
};

}  // namespace

void add_panel_products(provider::KernelTable& table) { table.add<MatMul>("", "MatMul", "panels"); }
void add_panel_gemm(provider::KernelTable& table) { table.add<Gemm>("", "Gemm", "panels"); }

}  // namespace onnxrun::cpu
