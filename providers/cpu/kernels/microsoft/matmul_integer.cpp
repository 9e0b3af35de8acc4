// MatMulIntegerToFloat, DynamicQuantizeMatMul and QGemm on 8-bit panels.
#include "cpu/loops/dynamic_quantization.h"
#include "cpu/loops/integer_product.h"

namespace onnxrun::cpu {
namespace {

// Scales of the columns times a factor, behind the product's scratch.
struct ColumnScales {
  int64_t count = 1;

  ColumnScales() = default;
  ColumnScales(const onnxrun_tensor& scale, int64_t columns) : count(provider::count(scale)) {
    if (count != 1 && count != columns) throw provider::Declined{"a scale for each column of each matrix"};
  }
  size_t bytes() const { return static_cast<size_t>(count) * sizeof(float); }
  RowParameter<float> load(const float* from, float factor, void* to) const {
    float* scales = static_cast<float*>(to);
    for (int64_t i = 0; i < count; ++i) scales[i] = factor * from[i];
    return {scales, count == 1 ? 0 : 1};
  }
};

template <class T>
RowParameter<T> columns_from(RowParameter<T> parameter, int64_t first) {
  return {parameter.values + parameter.step * first, parameter.step};
}

class MatMulIntegerToFloat {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.output(0)) != DType::kFloat32) return Acceptance::decline("a result that is not float32");
    if (provider::shape_known(node.input(2)) && provider::count(node.input(2)) != 1)
      return Acceptance::decline("a scale for each row");
    return IntegerProduct::accepts(node, 0, 1);
  }
  static void pack(const Node& node, void* bytes) {
    PackedRight(node.input(1), false).pack_constant(node.input(1), bytes);
  }
  MatMulIntegerToFloat(const Node& node, const void* packed)
      : product_(node, 0, dtype(node.input(0)), 1, 5, packed),
        scales_(node.input(3), product_.geometry().n),
        a_type_(dtype(node.input(0))) {
    if (provider::count(node.input(2)) != 1 || (node.has_input(4) && provider::count(node.input(4)) != 1))
      throw provider::Declined{"a scale or zero point for each row"};
  }
  size_t scratch_bytes() const { return product_.scratch_bytes() + scales_.bytes(); }
  void run(RunContext& context) const {
    const int64_t n = product_.geometry().n;
    const auto scales = scales_.load(context.in<float>(3), *context.in<float>(2),
                                     static_cast<char*>(context.scratch()) + product_.scratch_bytes());
    const float* bias = context.has_input(6) ? context.in<float>(6) : nullptr;
    float* y = context.out<float>(0);
    product_.run_input(context, 0, byte_type(context, a_type_, 4).zero, nullptr,
                       [&](int64_t row, int64_t first, const int32_t* sums, int64_t count) {
                         quantized_rows().scale(sums, columns_from(scales, first),
                                                {bias == nullptr ? nullptr : bias + first, 1}, y + row * n + first,
                                                count);
                       });
  }

 private:
  IntegerProduct product_;
  ColumnScales scales_;
  DType a_type_;
};

class DynamicQuantizeMatMul {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance acceptance;
    const onnxrun_tensor& b = node.input(1);
    if (b.data != nullptr && provider::shape_known(b) && provider::count(b) > 0)
      acceptance.pack(PackedRight(b, false).constant_bytes(), {1});
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    PackedRight(node.input(1), false).pack_constant(node.input(1), bytes);
  }
  DynamicQuantizeMatMul(const Node& node, const void* packed)
      : product_(node, 0, DType::kUint8, 1, 3, packed),
        scales_(node.input(2), product_.geometry().n),
        count_(provider::count(node.input(0))) {}
  size_t scratch_bytes() const { return product_.scratch_bytes() + scales_.bytes(); }
  void run(RunContext& context) const {
    const ProductGeometry& g = product_.geometry();
    const float* a = context.in<float>(0);
    const DynamicScale left = dynamic_scale(context, a, count_);
    const auto scales = scales_.load(context.in<float>(2), left.scale,
                                     static_cast<char*>(context.scratch()) + product_.scratch_bytes());
    const float* bias = context.has_input(4) ? context.in<float>(4) : nullptr;
    float* y = context.out<float>(0);
    product_.run(
        context, left.type.zero,
        [&](int64_t row, uint8_t* to) { quantized_rows().quantize(a + row * g.k, left.scale, left.type, to, g.k); },
        nullptr,
        [&](int64_t row, int64_t first, const int32_t* sums, int64_t count) {
          quantized_rows().scale(sums, columns_from(scales, first), {bias == nullptr ? nullptr : bias + first, 1},
                                 y + row * g.n + first, count);
        });
  }

 private:
  IntegerProduct product_;
  ColumnScales scales_;
  int64_t count_;
};

class QGemm {
 public:
  static Acceptance accepts(const Node& node) {
    return IntegerProduct::accepts(node, 0, 3, transposed(node, "transB"));
  }
  static void pack(const Node& node, void* bytes) {
    PackedRight(node.input(3), transposed(node, "transB")).pack_constant(node.input(3), bytes);
  }
  QGemm(const Node& node, const void* packed)
      : product_(node, 0, dtype(node.input(0)), 3, 5, packed, transposed(node, "transA"), transposed(node, "transB")),
        scales_(node.input(4), product_.geometry().n),
        a_type_(dtype(node.input(0))),
        y_type_(dtype(node.output(0))),
        alpha_(node.get_float("alpha", 1)) {
    if (!node.has_input(6)) return;
    const base::Dims strides = base::broadcast_strides(provider::dims(node.input(6)), provider::dims(node.output(0)));
    c_row_ = strides[0];
    c_column_ = strides[1];
  }
  size_t scratch_bytes() const { return product_.scratch_bytes() + scales_.bytes(); }
  void run(RunContext& context) const {
    const int64_t n = product_.geometry().n;
    const bool quantizes = y_type_ != DType::kFloat32;
    const float factor = alpha_ * *context.in<float>(1) / (quantizes ? *context.in<float>(7) : 1.0f);
    const auto scales =
        scales_.load(context.in<float>(4), factor, static_cast<char*>(context.scratch()) + product_.scratch_bytes());
    const ByteType type = quantizes ? byte_type(context, y_type_, 8) : ByteType{};
    const int32_t* c = context.has_input(6) ? context.in<int32_t>(6) : nullptr;
    product_.run_input(
        context, 0, byte_type(context, a_type_, 2).zero, nullptr,
        [&](int64_t row, int64_t first, const int32_t* sums, int64_t count) {
          const RowParameter<int32_t> bias = {c == nullptr ? nullptr : c + row * c_row_ + first * c_column_, c_column_};
          if (quantizes)
            return quantized_rows().requantize(sums, bias, columns_from(scales, first), type,
                                               context.out<uint8_t>(0) + row * n + first, count);
          store_floats(sums, bias, columns_from(scales, first), context.out<float>(0) + row * n + first, count);
        });
  }

 private:
  static bool transposed(const Node& node, const char* attribute) { return node.get_int(attribute, 0) != 0; }

  static void store_floats(const int32_t* sums, RowParameter<int32_t> bias, RowParameter<float> scale, float* y,
                           int64_t count) {
    if (bias.values == nullptr) return quantized_rows().scale(sums, scale, {}, y, count);
    for (int64_t i = 0; i < count; ++i)
      y[i] = static_cast<float>(static_cast<int32_t>(static_cast<uint32_t>(sums[i]) +
                                                     static_cast<uint32_t>(bias.values[i * bias.step]))) *
             scale.values[i * scale.step];
  }

  IntegerProduct product_;
  ColumnScales scales_;
  DType a_type_, y_type_;
  float alpha_;
  int64_t c_row_ = 0, c_column_ = 0;
};

}  // namespace

void kernels_microsoft_matmul_integer(provider::KernelTable& table) {
  constexpr const char* kDomain = "com.microsoft";
  table.add<MatMulIntegerToFloat>(kDomain, "MatMulIntegerToFloat", "panels");
  table.add<DynamicQuantizeMatMul>(kDomain, "DynamicQuantizeMatMul", "panels");
  table.add<QGemm>(kDomain, "QGemm", "panels");
}

}  // namespace onnxrun::cpu
