// MaxPool, AveragePool and LpPool in any number of axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/kernels/fast_products.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/float_kernel.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

WindowGeometry pool_geometry(const Node& node) {
  const size_t rank = static_cast<size_t>(node.input(0).rank) - 2;
  return {ops::read_window(node, ops::read_kernel(node, rank)), node.input(0), node.output(0)};
}

Acceptance accept_pool(const Node& node) {
  if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
    return Acceptance::decline("more than 16 spatial axes");
  return {};
}

// The part of one window that lies in the input, as kernel positions [low, high) along each axis.
struct Cut {
  int64_t start[kMaxSpatialAxes], low[kMaxSpatialAxes], high[kMaxSpatialAxes];

  Cut(const WindowGeometry& g, const int64_t* o) {
    for (size_t d = 0; d < g.rank(); ++d) {
      start[d] = o[d] * g.strides[d] - g.pad_begin[d];
      const int64_t step = g.dilations[d];
      low[d] = start[d] >= 0 ? 0 : (-start[d] + step - 1) / step;
      high[d] = start[d] >= g.in[d] ? 0 : std::min(g.kernel[d], (g.in[d] - 1 - start[d]) / step + 1);
      if (high[d] < low[d]) high[d] = low[d];
    }
  }
  // Never more than the input has.
  int64_t elements(const WindowGeometry& g) const {
    int64_t count = 1;
    for (size_t d = 0; d < g.rank(); ++d) count *= high[d] - low[d];
    return count;
  }
  // Calls f(offset in the plane, coordinates) for each position.
  template <class F>
  void each(const WindowGeometry& g, F&& f) const {
    const size_t last = g.rank() - 1;
    int64_t k[kMaxSpatialAxes], at[kMaxSpatialAxes];
    for (size_t d = 0; d <= last; ++d) {
      if (high[d] == low[d]) return;
      k[d] = low[d];
    }
    for (;;) {
      int64_t row = 0;
      for (size_t d = 0; d < last; ++d) {
        at[d] = start[d] + k[d] * g.dilations[d];
        row = (row + at[d]) * g.in[d + 1];
      }
      for (int64_t i = low[last]; i < high[last]; ++i) {
        at[last] = start[last] + i * g.dilations[last];
        f(row + at[last], static_cast<const int64_t*>(at));
      }
      size_t d = last;
      while (d-- > 0) {
        if (++k[d] < high[d]) break;
        k[d] = low[d];
      }
      if (d == static_cast<size_t>(-1)) return;
    }
  }
};

// Calls f(plane, output element, window) for all windows, in parallel.
template <class F>
void each_window(RunContext& context, const WindowGeometry& g, F&& f) {
  const int64_t planes = g.batch * g.out_channels;
  if (planes == 0 || g.out_size == 0) return;
  const int64_t grain =
      std::max<int64_t>(1, 16384 / std::min<int64_t>(g.out_size, 16384) / std::min<int64_t>(g.kernel_size, 16384));
  context.parallel(planes, grain, [&](int64_t begin, int64_t end) {
    Pacer pacer(context);
    for (int64_t plane = begin; plane < end; ++plane) {
      int64_t o[kMaxSpatialAxes] = {};
      for (int64_t at = 0; at < g.out_size; ++at) {
        const Cut cut(g, o);
        f(plane, plane * g.out_size + at, cut);
        pacer.did(cut.elements(g) + 8);
        for (size_t d = g.rank(); d-- > 0;) {
          if (++o[d] < g.out[d]) break;
          o[d] = 0;
        }
      }
    }
  });
}

class MaxPool {
 public:
  static Acceptance accepts(const Node& node) { return accept_pool(node); }
  explicit MaxPool(const Node& node)
      : geometry_(pool_geometry(node)),
        columns_first_(node.get_int("storage_order", 0) != 0),
        work_(base::is_integer(dtype(node.input(0))) ? dtype(node.input(0)) : work_float(node, 1)),
        operands_(node, 1, 2, work_, uint64_t{1} << 33) {}
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    int64_t* indices = arrays.out<int64_t>(1);
    dispatch(Types<float, double, int8_t, uint8_t>{}, work_, [&](auto type) {
      using T = typename decltype(type)::type;
      const T* x = arrays.template in<T>(0);
      T* y = arrays.template out<T>(0);
      each_window(context, geometry_, [&](int64_t plane, int64_t out, const Cut& cut) {
        const T* from = x + plane * geometry_.in_size;
        T best = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                      : std::numeric_limits<T>::lowest();
        int64_t where = -1;
        cut.each(geometry_, [&](int64_t at, const int64_t* position) {
          if (where >= 0 && !(from[at] > best)) return;
          if (where < 0 && !(from[at] > best))
            return static_cast<void>(where = columns_first_ ? by_columns(position) : at);
          best = from[at];
          where = columns_first_ ? by_columns(position) : at;
        });
        y[out] = best;
        if (indices != nullptr) indices[out] = plane * geometry_.in_size + std::max<int64_t>(where, 0);
      });
    });
    operands_.store(context, arrays);
  }

 private:
  int64_t by_columns(const int64_t* position) const {
    int64_t at = 0;
    for (size_t d = geometry_.rank(); d-- > 0;) at = at * geometry_.in[d] + position[d];
    return at;
  }
  WindowGeometry geometry_;
  bool columns_first_;
  DType work_;
  WorkOperands operands_;
};

class AveragePool : public FloatKernel<AveragePool> {
 public:
  static Acceptance accepts(const Node& node) { return accept_pool(node); }
  explicit AveragePool(const Node& node)
      : FloatKernel(node), geometry_(pool_geometry(node)), with_pads_(node.get_int("count_include_pad", 0) != 0) {}

  template <class T>
  void compute(RunContext& context, const T* x, T* y) const {
    each_window(context, geometry_, [&](int64_t plane, int64_t out, const Cut& cut) {
      const T* from = x + plane * geometry_.in_size;
      double sum = 0;
      cut.each(geometry_, [&](int64_t at, const int64_t*) { sum += static_cast<double>(from[at]); });
      const double count = divisor(cut);
      y[out] = static_cast<T>(count == 0 ? 0.0 : sum / count);
    });
  }

 private:
  // Elements of a window, those in the padding included where they count; what hangs over the padding never does.
  double divisor(const Cut& cut) const {
    double count = 1;  // three kernels of 2^31 and their padding are more than an integer holds
    for (size_t d = 0; d < geometry_.rank(); ++d) {
      const int64_t reach = geometry_.in[d] + geometry_.pad_end[d] - 1 - cut.start[d];
      count *= static_cast<double>(with_pads_
                                       ? std::clamp<int64_t>(reach / geometry_.dilations[d] + 1, 0, geometry_.kernel[d])
                                       : cut.high[d] - cut.low[d]);
    }
    return count;
  }
  WindowGeometry geometry_;
  bool with_pads_;
};

class LpPool : public FloatKernel<LpPool> {
 public:
  static Acceptance accepts(const Node& node) { return accept_pool(node); }
  explicit LpPool(const Node& node)
      : FloatKernel(node), geometry_(pool_geometry(node)), p_(static_cast<double>(node.get_int("p", 2))) {}

  template <class T>
  void compute(RunContext& context, const T* x, T* y) const {
    each_window(context, geometry_, [&](int64_t plane, int64_t out, const Cut& cut) {
      const T* from = x + plane * geometry_.in_size;
      double sum = 0;
      cut.each(geometry_, [&](int64_t at, const int64_t*) {
        const double value = std::abs(static_cast<double>(from[at]));
        sum += p_ == 1 ? value : p_ == 2 ? value * value : std::pow(value, p_);
      });
      y[out] = static_cast<T>(p_ == 1 ? sum : p_ == 2 ? std::sqrt(sum) : std::pow(sum, 1 / p_));
    });
  }

 private:
  WindowGeometry geometry_;
  double p_;
};

}  // namespace

void kernels_onnx_pool(provider::KernelTable& table) {
  add_fast_pools(table);
  add_indexed_pools(table);
  table.add<MaxPool>("", "MaxPool", "reference");
  table.add<AveragePool>("", "AveragePool", "reference");
  table.add<LpPool>("", "LpPool", "reference");
}

}  // namespace onnxrun::cpu
