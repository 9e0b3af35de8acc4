// Softmax and LogSoftmax: whole rows where the axis is innermost, tiles of columns elsewhere; Hardmax by the index of the largest element.
#include "ops/attributes/softmax.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/cpu.h"
#include "cpu/loops/arg_extreme.h"
#include "cpu/loops/axis.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kCost = 8;  // simple steps an element of float32 takes

AxisView view_of(const Node& node) {
  const auto dims = provider::dims(node.input(0));
  return {dims, ops::attributes::softmax_axis(node, static_cast<int64_t>(dims.size()))};
}

// Float32 with the axis innermost. A row with NaN, with infinity, or of nothing but -infinity is NaN.
template <bool log>
class Rows {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("not float32");
    return Acceptance().alias(0, 0);
  }

  explicit Rows(const Node& node) : view_(view_of(node)) {
    if (view_.inner != 1) throw provider::Declined{"the axis is not the innermost"};
  }

  void run(RunContext& context) const {
    if (view_.empty()) return;
    const float* in = context.in<float>(0);
    float* out = context.out<float>(0);
    const int64_t n = view_.size;
    const auto row_of = log ? row_functions().log_softmax : row_functions().softmax;
    parallel_polled(context, view_.outer, Cost(n) * kCost, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) row_of(in + row * n, out + row * n, n);
    });
  }

 protected:
  AxisView view_;
};

// Rounds to float16 and back.
void round_to_half(float* x, int64_t n) {
  static const Converter narrow = converter(DType::kFloat32, DType::kFloat16),
                         widen = converter(DType::kFloat16, DType::kFloat32);
  constexpr int64_t kBlock = 256;
  Float16 block[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t count = std::min(kBlock, n - i);
    narrow(x + i, block, count);
    widen(block, x + i, count);
  }
}

// What a float16 sum of exponentials is divided by; one beyond the type's range is not rounded.
float half_divisor(double sum) {
  float rounded = static_cast<float>(sum);
  round_to_half(&rounded, 1);
  return std::isinf(rounded) ? static_cast<float>(sum) : rounded;
}

// Softmax of float16, its axis innermost, shown as float32: each step is rounded to float16 as in the operator's function body (Softmax-13).
class HalfRows : public Rows<false> {
 public:
  using Rows<false>::Rows;

  void run(RunContext& context) const {
    if (view_.empty()) return;
    const float* in = context.in<float>(0);
    float* out = context.out<float>(0);
    const int64_t n = view_.size;
    parallel_polled(context, view_.outer, Cost(n) * kCost, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float* y = out + row * n;
        row_exp(in + row * n, row_max(in + row * n, n), y, n);
        round_to_half(y, n);
        const float divisor = half_divisor(row_sum(y, n));
        for (int64_t i = 0; i < n; ++i) y[i] /= divisor;
      }
    });
  }
};

class WidenedHalfRows : public Widened<HalfRows> {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.input(0)) != DType::kFloat16) return Acceptance::decline("not float16");
    return Widened<HalfRows>::accepts(node);
  }
  using Widened<HalfRows>::Widened;
};

// x = e^(x - shift), element by element.
inline void exp_all(float* x, const float* shift, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] -= shift[i];
  row_exp(x, 0.0f, x, n);
}
inline void exp_all(double* x, const double* shift, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = std::exp(x[i] - shift[i]);
}

// Any floating-point type and axis: three passes over tiles of adjacent columns, in float or double.
template <bool log>
class Columns {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Columns(const Node& node) : view_(view_of(node)), type_(dtype(node.input(0))) {
    element_bytes_ = base::dtype_bits(type_) / 8;
    if (type_ == DType::kFloat64) return;
    load_ = converter(type_, DType::kFloat32);
    save_ = converter(DType::kFloat32, type_);
    if (load_ == nullptr || save_ == nullptr) throw provider::Declined{"no conversion to float32"};
  }

  void run(RunContext& context) const {
    if (view_.empty()) return;
    const char* in = static_cast<const char*>(context.input(0).data);
    char* out = static_cast<char*>(context.output(0).data);
    const int64_t tiles = (view_.inner + kTile - 1) / kTile;
    parallel_polled(context, view_.outer * tiles, Cost(view_.size) * std::min(kTile, view_.inner) * kCost * 2,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t column = item % tiles * kTile;
                        const int64_t at = (item / tiles * view_.size * view_.inner + column) * element_bytes_;
                        const int64_t count = std::min(kTile, view_.inner - column);
                        if (type_ == DType::kFloat64) tile<double>(in + at, out + at, count);
                        else tile<float>(in + at, out + at, count);
                      }
                    });
  }

 private:
  static constexpr int64_t kTile = 256;

  template <class T>
  void tile(const char* in, char* out, int64_t count) const {
    T largest[kTile], buffer[kTile];
    double sum[kTile] = {};
    std::fill_n(largest, count, -std::numeric_limits<T>::infinity());
    // Of float32 the exponentials wait in the output.
    const bool kept = !log && type_ == DType::kFloat32;
    const auto each_row = [&](auto&& body) {
      const char* x = in;
      for (int64_t row = 0; row < view_.size; ++row, x += view_.inner * element_bytes_) {
        if (load_ != nullptr) load_(x, buffer, count);
        else std::copy_n(reinterpret_cast<const T*>(x), count, buffer);
        body(row);
      }
    };
    each_row([&](int64_t) {
      for (int64_t j = 0; j < count; ++j) {
        const T a = largest[j], b = buffer[j];
        largest[j] = (a > b) | (a != a) ? a : b;
      }
    });
    each_row([&](int64_t row) {
      exp_of(buffer, largest, count);
      for (int64_t j = 0; j < count; ++j) sum[j] += static_cast<double>(buffer[j]);
      if (kept) std::copy_n(buffer, count, reinterpret_cast<T*>(out + row * view_.inner * element_bytes_));
    });
    T factor[kTile];
    for (int64_t j = 0; j < count; ++j)
      factor[j] = static_cast<T>(log ? std::log(sum[j]) : 1.0 / (by_steps() ? half_divisor(sum[j]) : sum[j]));
    char* y = out;
    for (int64_t row = 0; kept && row < view_.size; ++row, y += view_.inner * element_bytes_)
      for (int64_t j = 0; j < count; ++j) reinterpret_cast<T*>(y)[j] *= factor[j];
    if (kept) return;
    each_row([&](int64_t) {
      if (!log) exp_of(buffer, largest, count);
      for (int64_t j = 0; j < count; ++j)
        buffer[j] = log ? (buffer[j] - largest[j]) - factor[j] : buffer[j] * factor[j];
      if (save_ != nullptr) save_(buffer, y, count);
      else std::copy_n(buffer, count, reinterpret_cast<T*>(y));
      y += view_.inner * element_bytes_;
    });
  }

  // See HalfRows.
  bool by_steps() const { return !log && type_ == DType::kFloat16; }

  void exp_of(float* x, const float* shift, int64_t n) const {
    exp_all(x, shift, n);
    if (by_steps()) round_to_half(x, n);
  }
  void exp_of(double* x, const double* shift, int64_t n) const { exp_all(x, shift, n); }

  AxisView view_;
  DType type_;
  int64_t element_bytes_ = 0;
  Converter load_ = nullptr, save_ = nullptr;
};

class Hardmax {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Hardmax(const Node& node)
      : view_(view_of(node)), type_(dtype(node.input(0))), arg_(Extreme::kLargest, type_, view_, false) {
    from_float_ = converter(DType::kFloat32, type_);
  }

  size_t scratch_bytes() const { return static_cast<size_t>(view_.outer * view_.inner) * sizeof(int64_t); }

  void run(RunContext& context) const {
    if (view_.empty()) return;
    auto* index = static_cast<int64_t*>(context.scratch());
    arg_.run(context, context.input(0).data, index);
    const int64_t bytes = base::dtype_bits(type_) / 8;
    alignas(8) char one[8];
    const float value = 1.0f;
    from_float_(&value, one, 1);
    char* out = static_cast<char*>(context.output(0).data);
    std::fill_n(out, view_.outer * view_.size * view_.inner * bytes, char{0});
    for (int64_t outer = 0; outer < view_.outer; ++outer, out += view_.size * view_.inner * bytes)
      for (int64_t inner = 0; inner < view_.inner; ++inner)
        std::memcpy(out + (*index++ * view_.inner + inner) * bytes, one, static_cast<size_t>(bytes));
  }

 private:
  AxisView view_;
  DType type_;
  ArgExtreme arg_;
  Converter from_float_ = nullptr;
};

}  // namespace

void kernels_onnx_softmax(provider::KernelTable& table) {
  table.add<Rows<false>>("", "Softmax", "rows");
  table.add<WidenedHalfRows>("", "Softmax", "half");
  table.add<Widened<Rows<false>>>("", "Softmax", "widened");
  table.add<Columns<false>>("", "Softmax", "reference");
  table.add<Rows<true>>("", "LogSoftmax", "rows");
  table.add<Widened<Rows<true>>>("", "LogSoftmax", "widened");
  table.add<Columns<true>>("", "LogSoftmax", "reference");
  table.add<Hardmax>("", "Hardmax", "reference");
}

}  // namespace onnxrun::cpu
