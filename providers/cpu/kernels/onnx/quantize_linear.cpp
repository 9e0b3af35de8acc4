// QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, through runs of float32.
#include "ops/attributes/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/cpu.h"
#include "cpu/loops/dynamic_quantization.h"
#include "cpu/loops/float_runs.h"
#include "cpu/loops/integer_product.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using ops::attributes::Granularity;
using ops::attributes::QuantizeView;

// The whole values that an integer type holds; `low` > `high` for floats.
struct Bounds {
  float low = 1, high = 0;
};

Bounds bounds_of(DType type) {
  switch (type) {
    case DType::kInt2: return {-2, 1};
    case DType::kUint2: return {0, 3};
    case DType::kInt4: return {-8, 7};
    case DType::kUint4: return {0, 15};
    case DType::kInt8: return {-128, 127};
    case DType::kUint8: return {0, 255};
    case DType::kInt16: return {-32768, 32767};
    case DType::kUint16: return {0, 65535};
    default: return {};
  }
}

// Nearest whole number, ties to even; NaN and what is beyond the bounds saturate.
inline float quantized(float ratio, float zero, Bounds bounds) {
  const float value = std::nearbyint(ratio) + zero;
  return value > bounds.low ? (value < bounds.high ? value : bounds.high) : bounds.low;
}

// Rows in which the scale steps by 0 or 1.
class ScaledRows {
 public:
  static constexpr int64_t kRun = 256;

  ScaledRows(const Node& node)
      : view_(ops::attributes::quantize_view(node, provider::dims(node.input(0)), provider::dims(node.input(1)))) {
    const auto rows = [&](int64_t length, int64_t step) {
      length_ = length;
      step_ = step;
    };
    switch (view_.granularity) {
      case Granularity::kTensor: rows(view_.outer * view_.size * view_.inner, 0); break;
      case Granularity::kAxis: view_.inner == 1 ? rows(view_.size, 1) : rows(view_.inner, 0); break;
      case Granularity::kBlocks:
        view_.inner == 1 ? rows(std::min(view_.block, view_.size), 0) : rows(view_.inner, 1);
        break;
    }
  }

  // Calls f(first element, count <= kRun, first scale, step) for pieces that cover all elements; `serial` keeps them on this thread.
  template <class F>
  void each(RunContext& context, bool serial, F&& f) const {
    const int64_t total = view_.outer * view_.size * view_.inner;
    if (total == 0) return;
    if (view_.granularity == Granularity::kTensor) {
      const int64_t runs = (total + kRun - 1) / kRun;
      return over(context, serial, runs, kRun,
                  [&](int64_t run) { f(run * kRun, std::min(kRun, total - run * kRun), int64_t{0}, int64_t{0}); });
    }
    const bool blocked_rows = view_.granularity == Granularity::kBlocks && view_.inner == 1;
    const int64_t per_outer = blocked_rows                                ? view_.blocks()
                              : length_ == view_.size && view_.inner == 1 ? 1
                                                                          : view_.size;
    over(context, serial, view_.outer * per_outer, length_, [&](int64_t row) {
      const int64_t outer = row / per_outer, at = row % per_outer;
      int64_t first = 0, scale = 0, length = length_;
      if (blocked_rows) {
        first = outer * view_.size + at * view_.block;
        length = std::min(view_.block, view_.size - at * view_.block);
        scale = row;
      } else if (view_.granularity == Granularity::kBlocks) {
        first = row * view_.inner;
        scale = (outer * view_.blocks() + at / view_.block) * view_.inner;
      } else {
        first = view_.inner == 1 ? outer * view_.size : row * view_.inner;
        scale = view_.inner == 1 ? 0 : at;
      }
      for (int64_t done = 0; done < length; done += kRun)
        f(first + done, std::min(kRun, length - done), scale + done * step_, step_);
    });
  }

 private:
  template <class F>
  static void over(RunContext& context, bool serial, int64_t count, int64_t cost, F&& f) {
    const auto range = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) f(i);
    };
    if (serial) range(0, count);
    else parallel_polled(context, count, Cost(cost) * 8, range);
  }

  QuantizeView view_;
  int64_t length_ = 0, step_ = 0;
};

// Reads `count` scales or zero points, or one for all.
void read_parameter(const onnxrun_tensor& tensor, int64_t first, int64_t step, int64_t count, float* to) {
  read_floats(dtype(tensor), tensor.data, first, step == 0 ? 1 : count, to);
  if (step == 0) std::fill_n(to + 1, count - 1, to[0]);
}

Acceptance accept_types(const Node& node) {
  for (size_t i = 0; i < node.input_count(); ++i)
    if (node.has_input(i) && !has_float_runs(dtype(node.input(i))))
      return Acceptance::decline("a type without conversion to float32");
  return has_float_runs(dtype(node.output(0))) ? Acceptance()
                                               : Acceptance::decline("a type without conversion from float32");
}

class QuantizeLinear {
 public:
  static Acceptance accepts(const Node& node) { return accept_types(node); }

  explicit QuantizeLinear(const Node& node)
      : rows_(node),
        type_(dtype(node.output(0))),
        bounds_(bounds_of(type_)),
        saturate_(node.get_int("saturate", 1) != 0 ? base::Saturate::kYes : base::Saturate::kNo) {
    const int64_t precision = node.get_int("precision", 0);
    precision_ = precision != 0 ? static_cast<DType>(precision) : dtype(node.input(1));
    in_bytes_ = dtype(node.input(0)) == DType::kFloat32 && dtype(node.input(1)) == DType::kFloat32 &&
                precision_ == DType::kFloat32 && is_byte(node.output(0));
  }

  void run(RunContext& context) const {
    const onnxrun_tensor &x = context.input(0), &scale = context.input(1);
    void* y = context.output(0).data;
    // Neighbouring packed elements share bytes.
    rows_.each(context, base::is_sub_byte(type_), [&](int64_t first, int64_t count, int64_t at, int64_t step) {
      if (in_bytes_ && step == 0) {
        const float* from = static_cast<const float*>(x.data) + first;
        const ByteType type{type_ == DType::kInt8, context.has_input(2) ? zero_point(context.input(2), at) : 0};
        return quantized_rows().quantize(from, static_cast<const float*>(scale.data)[at], type,
                                         static_cast<uint8_t*>(y) + first, count);
      }
      float values[ScaledRows::kRun], scales[ScaledRows::kRun], zeros[ScaledRows::kRun] = {};
      read_floats(dtype(x), x.data, first, count, values);
      read_parameter(scale, at, step, count, scales);
      if (context.has_input(2)) read_parameter(context.input(2), at, step, count, zeros);
      round_to_precision(values, count);
      round_to_precision(scales, count);
      for (int64_t i = 0; i < count; ++i) values[i] /= scales[i];
      round_to_precision(values, count);
      if (bounds_.low < bounds_.high)
        for (int64_t i = 0; i < count; ++i) values[i] = quantized(values[i], zeros[i], bounds_);
      else
        for (int64_t i = 0; i < count; ++i) values[i] += zeros[i];
      write_floats(type_, values, y, first, count, saturate_);
    });
  }

 private:
  // That of the division, whose operands and quotient have it.
  void round_to_precision(float* values, int64_t count) const {
    if (precision_ == DType::kFloat16)
      for (int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(Float16(values[i]));
    if (precision_ == DType::kBfloat16)
      for (int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(Bfloat16(values[i]));
  }

  ScaledRows rows_;
  DType type_, precision_;
  Bounds bounds_;
  base::Saturate saturate_;
  bool in_bytes_ = false;  // float32 to 8-bit integers
};

class DequantizeLinear {
 public:
  static Acceptance accepts(const Node& node) { return accept_types(node); }
  explicit DequantizeLinear(const Node& node)
      : rows_(node),
        from_bytes_(is_byte(node.input(0)) && dtype(node.input(1)) == DType::kFloat32 &&
                    dtype(node.output(0)) == DType::kFloat32) {}

  void run(RunContext& context) const {
    const onnxrun_tensor &x = context.input(0), &scale = context.input(1), &y = context.output(0);
    rows_.each(context, false, [&](int64_t first, int64_t count, int64_t at, int64_t step) {
      if (from_bytes_ && step == 0) {
        const ByteType type{dtype(x) == DType::kInt8, context.has_input(2) ? zero_point(context.input(2), at) : 0};
        return quantized_rows().dequantize(static_cast<const uint8_t*>(x.data) + first,
                                           static_cast<const float*>(scale.data)[at], type,
                                           static_cast<float*>(y.data) + first, count);
      }
      float values[ScaledRows::kRun], scales[ScaledRows::kRun], zeros[ScaledRows::kRun] = {};
      read_floats(dtype(x), x.data, first, count, values);
      read_parameter(scale, at, step, count, scales);
      if (context.has_input(2)) read_parameter(context.input(2), at, step, count, zeros);
      for (int64_t i = 0; i < count; ++i) values[i] = (values[i] - zeros[i]) * scales[i];
      write_floats(dtype(y), values, y.data, first, count);
    });
  }

 private:
  ScaledRows rows_;
  bool from_bytes_;  // 8-bit integers to float32
};

class DynamicQuantizeLinear {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit DynamicQuantizeLinear(const Node& node) : count_(provider::count(node.input(0))) {}

  void run(RunContext& context) const {
    const float* x = context.in<float>(0);
    const DynamicScale chosen = dynamic_scale(context, x, count_);
    if (context.has_output(0)) {
      uint8_t* y = context.out<uint8_t>(0);
      parallel_polled(context, count_, 5, [&](int64_t begin, int64_t end) {
        quantized_rows().quantize(x + begin, chosen.scale, chosen.type, y + begin, end - begin);
      });
    }
    if (context.has_output(1)) *context.out<float>(1) = chosen.scale;
    if (context.has_output(2)) *context.out<uint8_t>(2) = static_cast<uint8_t>(chosen.type.zero);
  }

 private:
  int64_t count_;
};

}  // namespace

void kernels_onnx_quantize_linear(provider::KernelTable& table) {
  table.add<QuantizeLinear>("", "QuantizeLinear", "reference");
  table.add<DequantizeLinear>("", "DequantizeLinear", "reference");
  table.add<DynamicQuantizeLinear>("", "DynamicQuantizeLinear", "reference");
}

}  // namespace onnxrun::cpu
