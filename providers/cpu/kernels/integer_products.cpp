// MatMulInteger and QLinearMatMul on 8-bit panels: products of bytes as they are, then the terms of the zero points.
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/integer_product.h"
#include "cpu/loops/quantized.h"

namespace onnxrun::cpu {
namespace {

int32_t first_zero(const RunContext& context, size_t input) {
  return context.has_input(input) ? zero_point(context.input(input), 0) : 0;
}

void require_one_zero(const onnxrun_tensor& zero) {
  if (provider::present(zero) && provider::count(zero) != 1) throw provider::Declined{"a zero point for each row"};
}

class MatMulInteger {
 public:
  static Acceptance accepts(const Node& node) { return IntegerProduct::accepts(node, 0, 1); }
  static void pack(const Node& node, void* bytes) {
    PackedRight(node.input(1), false).pack_constant(node.input(1), bytes);
  }
  MatMulInteger(const Node& node, const void* packed) : product_(node, 0, dtype(node.input(0)), 1, 3, packed) {
    require_one_zero(node.input(2));
  }
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void run(RunContext& context) const {
    product_.run_input(context, 0, first_zero(context, 2), context.out<int32_t>(0),
                       [](int64_t, int64_t, const int32_t*, int64_t) {});
  }

 private:
  IntegerProduct product_;
};

class QLinearMatMul {
 public:
  static Acceptance accepts(const Node& node) {
    if (!is_byte(node.output(0))) return Acceptance::decline("a result that is not an 8-bit integer");
    return IntegerProduct::accepts(node, 0, 3);
  }
  static void pack(const Node& node, void* bytes) {
    PackedRight(node.input(3), false).pack_constant(node.input(3), bytes);
  }
  QLinearMatMul(const Node& node, const void* packed)
      : product_(node, 0, dtype(node.input(0)), 3, 5, packed),
        type_(dtype(node.output(0))),
        scales_(provider::count(node.input(4))) {
    require_one_zero(node.input(2));
    if (provider::count(node.input(1)) != 1 || (scales_ != 1 && scales_ != product_.geometry().n))
      throw provider::Declined{"a scale for each row or for each column of each matrix"};
  }
  size_t scratch_bytes() const { return scale_bytes() + product_.scratch_bytes() + 64; }
  void run(RunContext& context) const {
    const int64_t n = product_.geometry().n;
    const float left = read_scale(context.input(1), 0), y_scale = read_scale(context.input(6), 0);
    // Behind the product's own scratch.
    float* scales = reinterpret_cast<float*>(static_cast<char*>(context.scratch()) + product_.scratch_bytes());
    for (int64_t j = 0; j < scales_; ++j) scales[j] = left * read_scale(context.input(4), j) / y_scale;
    const ByteType type = byte_type(context, type_, 7);
    uint8_t* y = context.out<uint8_t>(0);
    const int64_t step = scales_ == 1 ? 0 : 1;
    product_.run_input(
        context, 0, first_zero(context, 2), nullptr,
        [&](int64_t row, int64_t first, const int32_t* sums, int64_t count) {
          quantized_rows().requantize(sums, {}, {scales + step * first, step}, type, y + row * n + first, count);
        });
  }

 private:
  size_t scale_bytes() const { return static_cast<size_t>(scales_) * sizeof(float); }

  IntegerProduct product_;
  DType type_;
  int64_t scales_;
};

}  // namespace

void add_integer_products(provider::KernelTable& table) {
  table.add<MatMulInteger>("", "MatMulInteger", "panels");
  table.add<QLinearMatMul>("", "QLinearMatMul", "panels");
}

}  // namespace onnxrun::cpu
