// QLinearAdd, QLinearMul, QLinearLeakyRelu, QLinearSigmoid, QLinearWhere, QLinearSoftmax: rows of bytes, functions of one byte by table.
#include <numeric>

#include "cpu/loops/axis.h"
#include "cpu/loops/broadcast.h"
#include "cpu/loops/byte_table.h"
#include "cpu/loops/integer_product.h"
#include "cpu/loops/polled.h"
#include "ops/attributes/softmax.h"

namespace onnxrun::cpu {
namespace {

float scale_of(const RunContext& context, size_t input) { return *context.in<float>(input); }

template <bool kMultiply>
class QLinearBinary {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(0, 0).alias(3, 0); }
  explicit QLinearBinary(const Node& node)
      : plan_({provider::dims(node.input(0)), provider::dims(node.input(3))}, provider::dims(node.output(0))),
        type_(dtype(node.output(0))) {
    plan_.merge_repeats(kLongestPeriod);
  }

  void run(RunContext& context) const {
    const ByteType a_type = byte_type(context, type_, 2), b_type = byte_type(context, type_, 5),
                   type = byte_type(context, type_, 7);
    const float a_scale = scale_of(context, 1), b_scale = scale_of(context, 4), scale = scale_of(context, 6);
    const uint8_t *a = context.in<uint8_t>(0), *b = context.in<uint8_t>(3);
    uint8_t* y = context.out<uint8_t>(0);
    const QuantizedRowFunctions& rows = quantized_rows();
    parallel_polled(context, plan_.count(), 8, [&](int64_t begin, int64_t end) {
      plan_.each_row(begin, end, [&](const int64_t* from, int64_t at, int64_t count) {
        const int64_t a_step = plan_.row_stride(0), b_step = plan_.row_stride(1);
        pieces(
            a + from[0], b + from[1], at, count, [&](const uint8_t* left, const uint8_t* right, int64_t to, int64_t n) {
              if constexpr (kMultiply)
                rows.multiply(left, a_step, a_scale * b_scale / scale, a_type, right, b_step, b_type, type, y + to, n);
              else
                rows.add(left, a_step, a_scale / scale, a_type, right, b_step, b_scale / scale, b_type, type, y + to,
                         n);
            });
      });
    });
  }

 private:
  static constexpr int64_t kLongestPeriod = 64, kPiece = 256;

  // Calls f on a row, in pieces where an operand repeats itself in it.
  template <class F>
  void pieces(const uint8_t* a, const uint8_t* b, int64_t at, int64_t count, F&& f) const {
    const int64_t period = plan_.period();
    if (period == 0) return f(a, b, at, count);
    const int64_t phase = at % period, length = kPiece / period * period;
    uint8_t buffers[2][kPiece + kLongestPeriod];
    const uint8_t* operands[] = {a, b};
    for (size_t k = 0; k < 2; ++k) {
      if (!plan_.repeats(k)) continue;
      for (int64_t i = 0; i < std::min(length, count); ++i) buffers[k][i] = operands[k][(phase + i) % period];
      operands[k] = buffers[k];
    }
    for (int64_t done = 0; done < count; done += length) {
      const auto left = [&](size_t k) { return operands[k] + (plan_.repeats(k) ? 0 : done * plan_.row_stride(k)); };
      f(left(0), left(1), at + done, std::min(length, count - done));
    }
  }

  BroadcastPlan plan_;
  DType type_;
};

enum class Function { kLeakyRelu, kSigmoid };

template <Function kFunction>
class QLinearUnary {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(0, 0); }
  explicit QLinearUnary(const Node& node)
      : count_(provider::count(node.input(0))), type_(dtype(node.input(0))), alpha_(node.get_float("alpha", 0.01f)) {}

  void run(RunContext& context) const {
    const ByteTable table = byte_table(scale_of(context, 1), byte_type(context, type_, 2), scale_of(context, 3),
                                       byte_type(context, type_, 4), [&](float x) {
                                         if constexpr (kFunction == Function::kLeakyRelu)
                                           return x >= 0 ? x : x * alpha_;
                                         else return 1.0f / (1.0f + std::exp(-x));
                                       });
    const uint8_t* x = context.in<uint8_t>(0);
    uint8_t* y = context.out<uint8_t>(0);
    parallel_polled(context, count_, 4,
                    [&](int64_t begin, int64_t end) { look_up(table, x + begin, y + begin, end - begin); });
  }

 private:
  int64_t count_;
  DType type_;
  float alpha_;
};

class QLinearWhere {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(1, 0).alias(4, 0); }
  explicit QLinearWhere(const Node& node)
      : plan_({provider::dims(node.input(0)), provider::dims(node.input(1)), provider::dims(node.input(4))},
              provider::dims(node.output(0))),
        type_(dtype(node.output(0))) {}

  void run(RunContext& context) const {
    const float z_scale = scale_of(context, 7);
    const ByteType z_type = byte_type(context, type_, 8);
    const ByteTable from_x = rescaling_table(scale_of(context, 2), byte_type(context, type_, 3), z_scale, z_type);
    const ByteTable from_y = rescaling_table(scale_of(context, 5), byte_type(context, type_, 6), z_scale, z_type);
    const uint8_t *condition = context.in<uint8_t>(0), *x = context.in<uint8_t>(1), *y = context.in<uint8_t>(4);
    uint8_t* z = context.out<uint8_t>(0);
    parallel_polled(context, plan_.count(), 8, [&](int64_t begin, int64_t end) {
      plan_.each_row(begin, end, [&](const int64_t* from, int64_t at, int64_t count) {
        const int64_t c_step = plan_.row_stride(0), x_step = plan_.row_stride(1), y_step = plan_.row_stride(2);
        for (int64_t i = 0; i < count; ++i) {
          const uint8_t if_true = from_x[x[from[1] + i * x_step]], if_false = from_y[y[from[2] + i * y_step]];
          z[at + i] = condition[from[0] + i * c_step] != 0 ? if_true : if_false;
        }
      });
    });
  }

 private:
  BroadcastPlan plan_;
  DType type_;
};

class QLinearSoftmax {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(0, 0); }
  explicit QLinearSoftmax(const Node& node) : type_(dtype(node.input(0))) {
    const auto dims = provider::dims(node.input(0));
    view_ = AxisView(dims, ops::attributes::softmax_axis(node, static_cast<int64_t>(dims.size())));
    if (node.get_int("opset", 13) < 13) {
      view_.size *= view_.inner;
      view_.inner = 1;
    }
  }

  void run(RunContext& context) const {
    if (view_.empty()) return;
    const float scale = scale_of(context, 1), y_scale = scale_of(context, 3);
    const ByteType type = byte_type(context, type_, 4);
    const uint8_t flip = type_ == DType::kInt8 ? 0x80 : 0;
    double exps[256];  // of how far a value is below the largest one
    for (int i = 0; i < 256; ++i) exps[i] = std::exp(-static_cast<double>(i) * static_cast<double>(scale));
    const uint8_t* x = context.in<uint8_t>(0);
    uint8_t* y = context.out<uint8_t>(0);
    parallel_polled(context, view_.outer * view_.inner, Cost(view_.size) * 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t first = row / view_.inner * view_.size * view_.inner + row % view_.inner;
        const auto value = [&](int64_t i) { return static_cast<uint8_t>(x[first + i * view_.inner] ^ flip); };
        uint8_t largest = 0;
        double sum = 0;
        for (int64_t i = 0; i < view_.size; ++i) largest = std::max(largest, value(i));
        for (int64_t i = 0; i < view_.size; ++i) sum += exps[largest - value(i)];
        float results[256];
        for (int i = 0; i <= largest; ++i) results[i] = static_cast<float>(exps[i] / sum);
        uint8_t bytes[256];
        quantized_rows().quantize(results, y_scale, type, bytes, largest + 1);
        for (int64_t i = 0; i < view_.size; ++i) y[first + i * view_.inner] = bytes[largest - value(i)];
      }
    });
  }

 private:
  DType type_;
  AxisView view_;
};

}  // namespace

void kernels_microsoft_qlinear_elementwise(provider::KernelTable& table) {
  constexpr const char* kDomain = "com.microsoft";
  table.add<QLinearBinary<false>>(kDomain, "QLinearAdd", "rows");
  table.add<QLinearBinary<true>>(kDomain, "QLinearMul", "rows");
  table.add<QLinearUnary<Function::kLeakyRelu>>(kDomain, "QLinearLeakyRelu", "table");
  table.add<QLinearUnary<Function::kSigmoid>>(kDomain, "QLinearSigmoid", "table");
  table.add<QLinearWhere>(kDomain, "QLinearWhere", "table");
  table.add<QLinearSoftmax>(kDomain, "QLinearSoftmax", "table");
}

}  // namespace onnxrun::cpu
