// CumSum and CumProd: running totals kept for a block of columns; narrow floats run in float32, integers wrap.
#include "base/shape.h"

#include <algorithm>
#include "cpu/cpu.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using CumulativeTypes = Types<float, double, Float16, Bfloat16, uint32_t, uint64_t>;

// Wrapping arithmetic is the same for signed and unsigned integers.
DType stored(DType type) {
  if (type == DType::kInt32) return DType::kUint32;
  if (type == DType::kInt64) return DType::kUint64;
  return type;
}

template <bool kProduct>
class Cumulative {
 public:
  static Acceptance accepts(const Node& node) {
    const bool known = dispatch(CumulativeTypes{}, stored(dtype(node.input(0))), [](auto) {});
    return known ? Acceptance().alias(0, 0) : Acceptance::decline("no arithmetic on this element type");
  }

  explicit Cumulative(const Node& node)
      : dtype_(stored(dtype(node.input(0)))),
        exclusive_(node.get_int("exclusive", 0) != 0),
        reverse_(node.get_int("reverse", 0) != 0),
        dims_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()) {}

  void run(RunContext& context) const {
    const auto axis =
        static_cast<size_t>(base::normalize_axis(int_at(context.input(1), 0), static_cast<int64_t>(dims_.size())));
    if (provider::count(context.input(0)) == 0) return;
    const int64_t outer = product(dims_, 0, axis);
    const int64_t size = dims_[axis];
    const int64_t inner = product(dims_, axis + 1, dims_.size());
    const int64_t blocks = (inner + kColumns - 1) / kColumns;
    dispatch(CumulativeTypes{}, dtype_, [&]<class T>(std::type_identity<T>) {
      const int64_t width = std::min(inner, kColumns);
      parallel_polled(context, outer * blocks, Cost(size) * width * static_cast<int64_t>(sizeof(T)),
                      [&](int64_t begin, int64_t end) {
                        for (int64_t item = begin; item < end; ++item) {
                          const int64_t column = item % blocks * kColumns;
                          const int64_t offset = item / blocks * size * inner + column;
                          columns(context.in<T>(0) + offset, context.out<T>(0) + offset, size, inner,
                                  std::min(kColumns, inner - column));
                        }
                      });
    });
  }

 private:
  static constexpr int64_t kColumns = 1024;

  template <class T>
  using Total = std::conditional_t<std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>, float, T>;

  template <class T>
  void columns(const T* in, T* out, int64_t size, int64_t stride, int64_t width) const {
    if (width == 1) return exclusive_ ? column<true>(in, out, size, stride) : column<false>(in, out, size, stride);
    if constexpr (std::is_same_v<T, Total<T>>)
      if (!exclusive_) return add_rows(in, out, size, stride, width);
    Total<T> totals[kColumns];
    std::fill_n(totals, width, Total<T>(kProduct ? 1 : 0));
    for (int64_t i = 0; i < size; ++i) {
      const int64_t row = (reverse_ ? size - 1 - i : i) * stride;
      if (exclusive_) take_row<true>(in + row, out + row, totals, width);
      else take_row<false>(in + row, out + row, totals, width);
    }
  }

  // Each row of the output is the one before and a row of the input.
  template <class T>
  void add_rows(const T* in, T* out, int64_t size, int64_t stride, int64_t width) const {
    const int64_t step = reverse_ ? -stride : stride;
    int64_t at = reverse_ ? (size - 1) * stride : 0;
    for (int64_t k = 0; k < width; ++k) out[at + k] = kProduct ? T(1) * in[at + k] : T(0) + in[at + k];
    for (int64_t i = 1; i < size; ++i) {
      const T* before = out + at;
      at += step;
      const T* x = in + at;
      T* y = out + at;
#pragma GCC ivdep
      for (int64_t k = 0; k < width; ++k) y[k] = kProduct ? before[k] * x[k] : before[k] + x[k];
    }
  }

  template <bool kExclusive, class T>
  static void take_row(const T* in, T* out, Total<T>* totals, int64_t width) {
#pragma GCC ivdep
    for (int64_t k = 0; k < width; ++k) out[k] = take<kExclusive>(in[k], totals[k]);
  }

  template <bool kExclusive, class T>
  void column(const T* in, T* out, int64_t size, int64_t stride) const {
    const int64_t step = reverse_ ? -stride : stride;
    Total<T> total(kProduct ? 1 : 0);
    for (int64_t i = 0, at = reverse_ ? (size - 1) * stride : 0; i < size; ++i, at += step)
      out[at] = take<kExclusive>(in[at], total);
  }

  template <bool kExclusive, class T>
  static T take(T x, Total<T>& total) {
    const Total<T> before = total;
    total = kProduct ? before * static_cast<Total<T>>(x) : before + static_cast<Total<T>>(x);
    return static_cast<T>(kExclusive ? before : total);
  }

  DType dtype_;
  bool exclusive_, reverse_;
  base::Dims dims_;
};

}  // namespace

void kernels_onnx_cum_sum(provider::KernelTable& table) {
  table.add<Cumulative<false>>("", "CumSum", "reference");
  table.add<Cumulative<true>>("", "CumProd", "reference");
}

}  // namespace onnxrun::cpu
