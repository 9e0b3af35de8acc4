// MaxPool and AveragePool row by row: each kernel position adds a shifted row of the input to a row of results.
#include <limits>
#include <optional>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/float_sum.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/pool_bands.h"
#include "cpu/loops/table_bytes.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

WindowGeometry pool_geometry(const Node& node) {
  const size_t rank = static_cast<size_t>(node.input(0).rank) - 2;
  return {ops::read_window(node, ops::read_kernel(node, rank)), node.input(0), node.output(0)};
}

Acceptance accept_rows(const Node& node) {
  if (dtype(node.input(0)) == DType::kFloat64) return Acceptance::decline("float64 takes the plain loops");
  if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
    return Acceptance::decline("more than 16 spatial axes");
  return {};
}

// Calls step(result, element), which gives the result of type R, for the elements that windows [first, first + count) take from one row of the input,
// which `row` holds from column `origin` on.
template <class T, class R, class Step>
void take_row(const WindowGeometry& g, Span positions, const T* row, int64_t origin, int64_t first, int64_t count,
              R* results, Step step, Pacer& pacer) {
  constexpr int64_t kMostPositions =
      1 << 16;  // beyond which windows are so much longer than the row that most positions lie outside
  const size_t last = g.rank() - 1;
  const int64_t stride = g.strides[last], dilation = g.dilations[last], pad = g.pad_begin[last], width = g.in[last];
  if (positions.end - positions.begin > kMostPositions) {
    for (int64_t i = first; i < first + count; ++i) {
      const Span own = positions_inside(g, last, i * stride - pad, i * stride - pad);
      pacer.did(std::max<int64_t>(1, own.end - own.begin));
      for (int64_t k = own.begin; k < own.end; ++k)
        results[i - first] = step(results[i - first], row[i * stride + k * dilation - pad - origin]);
    }
    return;
  }
  for (int64_t k = positions.begin; k < positions.end; ++k) {
    const int64_t shift = k * dilation - pad;
    const int64_t low = std::max(first, shift >= 0 ? 0 : (-shift + stride - 1) / stride);
    const int64_t high = shift >= width ? 0 : std::min(first + count, (width - 1 - shift) / stride + 1);
    pacer.did(std::max<int64_t>(1, high - low));
    const auto take = [&](int64_t i, int64_t at) { results[i - first] = step(results[i - first], row[at]); };
    if (stride == 1) {
      for (int64_t i = low; i < high; ++i) take(i, i + shift - origin);
    } else if (stride == 2) {
      for (int64_t i = low; i < high; ++i) take(i, 2 * i + shift - origin);
    } else {
      for (int64_t i = low; i < high; ++i) take(i, i * stride + shift - origin);
    }
  }
}

// Starts results at `start` and calls step(result, element) for each element of their windows; store(offset, coordinates of the row, first
// column, results, count) gets them.
template <class T, class R, class Step, class Store>
void pool_rows(RunContext& context, const WindowGeometry& g, const T* x, R start, Step step, Store store) {
  const size_t last = g.rank() - 1;
  const int64_t width = g.out[last], rows = width == 0 ? 0 : g.out_size / width, in_width = g.in[last];
  const int64_t stride = g.strides[last], pad = g.pad_begin[last];
  const int64_t work = std::max<int64_t>(1, width * std::min<int64_t>(g.kernel_size, 32768));
  // Columns from a window's first element to behind its last, as far as they can be in the input.
  int64_t reach = 0;
  if (__builtin_mul_overflow(g.kernel[last] - 1, g.dilations[last], &reach) || reach >= pad + in_width)
    reach = pad + in_width;
  else ++reach;
  const bool folds = g.kernel_size / g.kernel[last] > 1 && g.kernel[last] > 1;
  context.parallel(
      g.batch * g.out_channels * rows, std::max<int64_t>(1, 32768 / work), [&](int64_t begin, int64_t end) {
        R results[kConvolveRow], together[PoolBands::kTogether];
        int64_t o[kMaxSpatialAxes], k[kMaxSpatialAxes];
        Span inside[kMaxSpatialAxes];  // kernel positions along each axis
        Pacer pacer(context);
        for (int64_t item = begin; item < end; ++item) {
          const int64_t row = item % rows, plane = item / rows;
          coordinates(row, g.out, last, o);
          bool none = false;
          for (size_t d = 0; d < last; ++d) {
            const int64_t at = o[d] * g.strides[d] - g.pad_begin[d];
            inside[d] = positions_inside(g, d, at, at);
            none = none || inside[d].empty();
          }
          for (int64_t first = 0; first < width; first += kConvolveRow) {
            const int64_t count = std::min(kConvolveRow, width - first);
            std::fill_n(results, count, start);
            inside[last] = positions_inside(g, last, first * stride - pad, (first + count - 1) * stride - pad);
            // Where several rows count, and not too much of each, their elements at the same column are put together before windows take them.
            const int64_t low = std::max<int64_t>(0, first * stride - pad),
                          high = std::min(in_width, (first + count - 1) * stride - pad + reach);
            const bool puts_together = folds && high - low <= PoolBands::kTogether;
            if (puts_together) std::fill_n(together, std::max<int64_t>(0, high - low), start);
            for (size_t d = 0; d < last; ++d) k[d] = inside[d].begin;
            for (bool more = !none; more; more = next_row(inside, last, k)) {
              int64_t in_row = 0;
              for (size_t d = 0; d < last; ++d)
                in_row = in_row * g.in[d] + o[d] * g.strides[d] + k[d] * g.dilations[d] - g.pad_begin[d];
              const T* row_begin = x + plane * g.in_size + in_row * in_width;
              pacer.did(puts_together ? high - low : 1);
              if (puts_together)
                for (int64_t i = low; i < high; ++i) together[i - low] = step(together[i - low], row_begin[i]);
              else take_row(g, inside[last], row_begin, 0, first, count, results, step, pacer);
            }
            if (puts_together && !none) take_row(g, inside[last], together, low, first, count, results, step, pacer);
            store(plane * g.out_size + row * width + first, static_cast<const int64_t*>(o), first, results, count);
            pacer.did(count);
          }
        }
      });
}

class MaxPool {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.has_output(1)) return Acceptance::decline("the indices are wanted");
    return accept_rows(node);
  }
  explicit MaxPool(const Node& node)
      : geometry_(pool_geometry(node)),
        work_(base::is_integer(dtype(node.input(0))) ? dtype(node.input(0)) : DType::kFloat32),
        operands_(node, 1, 1, work_) {
    if (work_ == DType::kFloat32) bands_.emplace(geometry_);
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  size_t table_bytes() const { return bands_ ? bands_->table_bytes() : 0; }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    if (bands_ && bands_->fit()) {
      bands_->run(context, geometry_, arrays.in<float>(0), arrays.out<float>(0), nullptr, nullptr, max_pool_rows);
      return operands_.store(context, arrays);
    }
    dispatch(Types<float, int8_t, uint8_t>{}, work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T start =
          std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
      T* y = arrays.template out<T>(0);
      pool_rows(
          context, geometry_, arrays.template in<T>(0), start,
          [](T best, T value) { return value > best ? value : best; },
          [y](int64_t at, const int64_t*, int64_t, const T* results, int64_t count) {
            std::copy_n(results, count, y + at);
          });
    });
    operands_.store(context, arrays);
  }

 private:
  WindowGeometry geometry_;
  DType work_;
  WorkOperands operands_;
  std::optional<PoolBands> bands_;  // where rows may be taken so
};

class AveragePool {
 public:
  static Acceptance accepts(const Node& node) { return accept_rows(node); }
  explicit AveragePool(const Node& node) : geometry_(pool_geometry(node)), operands_(node, 1, 1, DType::kFloat32) {
    const bool with_pads = node.get_int("count_include_pad", 0) != 0;
    if (provider::count(node.output(0)) == 0) return;
    for (size_t d = 0; d < geometry_.rank(); ++d) {
      base::take_kernel_memory(base::checked_mul(geometry_.out[d], sizeof(float)));
      counts_.emplace_back().reserve(static_cast<size_t>(geometry_.out[d]));
      for (int64_t o = 0; o < geometry_.out[d]; ++o) counts_.back().push_back(count(d, o, with_pads));
    }
    if (geometry_.kernel_size > kMostFloatSum) return;
    bands_.emplace(geometry_);
    if (!bands_->fit()) return;
    const size_t last = geometry_.rank() - 1;
    const int64_t rows = geometry_.out_size / geometry_.out[last];
    base::take_kernel_memory(static_cast<size_t>(rows) * sizeof(float));
    row_divisors_.reserve(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row) {
      int64_t o[kMaxSpatialAxes];
      coordinates(row, geometry_.out, last, o);
      row_divisors_.push_back(row_divisor<float>(o));
    }
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  size_t table_bytes() const {
    size_t bytes = (bands_ ? bands_->table_bytes() : 0) + bytes_outside(row_divisors_);
    for (const std::vector<float>& counts : counts_) bytes += bytes_outside(counts);
    return bytes;
  }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    if (!row_divisors_.empty()) {
      bands_->run(context, geometry_, arrays.in<float>(0), arrays.out<float>(0), row_divisors_.data(),
                  counts_.back().data(), average_pool_rows);
    } else if (geometry_.kernel_size > kMostFloatSum)
      average<double>(context, arrays.in<float>(0), arrays.out<float>(0));
    else average<float>(context, arrays.in<float>(0), arrays.out<float>(0));
    operands_.store(context, arrays);
  }

 private:
  template <class Sum>
  Sum row_divisor(const int64_t* row) const {
    Sum divisor = 1;
    for (size_t d = 0; d + 1 < geometry_.rank(); ++d)
      divisor *= static_cast<Sum>(counts_[d][static_cast<size_t>(row[d])]);
    return divisor;
  }

  template <class Sum>
  void average(RunContext& context, const float* x, float* y) const {
    const size_t last = geometry_.rank() - 1;
    pool_rows(
        context, geometry_, x, Sum(0), [](Sum sum, auto value) { return sum + static_cast<Sum>(value); },
        [&](int64_t at, const int64_t* row, int64_t first, const Sum* sums, int64_t count) {
          const Sum outer = row_divisor<Sum>(row);
          const float* columns = counts_[last].data() + first;
          for (int64_t i = 0; i < count; ++i) {
            const Sum divisor = outer * static_cast<Sum>(columns[i]);
            y[at + i] = divisor == 0 ? 0.0f : static_cast<float>(sums[i] / divisor);
          }
        });
  }

  // Elements of window `o` along an axis: those in the input, or in the padded input.
  float count(size_t d, int64_t o, bool with_pads) const {
    const int64_t start = o * geometry_.strides[d] - geometry_.pad_begin[d],
                  end = geometry_.in[d] + (with_pads ? geometry_.pad_end[d] : 0);
    const int64_t step = geometry_.dilations[d],
                  low = with_pads || start >= 0 ? 0 : -start / step + (-start % step != 0);
    const int64_t high = start >= end ? 0 : std::min(geometry_.kernel[d], (end - 1 - start) / step + 1);
    return static_cast<float>(std::max<int64_t>(high - low, 0));
  }

  WindowGeometry geometry_;
  WorkOperands operands_;
  std::optional<PoolBands> bands_;          // where rows may be taken so
  std::vector<std::vector<float>> counts_;  // by axis and window
  std::vector<float> row_divisors_;         // by row of results, where bands are taken
};

}  // namespace

void add_fast_pools(provider::KernelTable& table) {
  table.add<MaxPool>("", "MaxPool", "rows");
  table.add<AveragePool>("", "AveragePool", "rows");
}

}  // namespace onnxrun::cpu
