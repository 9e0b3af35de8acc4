// MaxPool with the indices of the greatest elements, row by row.
#include <limits>

#include "cpu/kernels/fast_products.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/pool_bands.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class IndexedMaxPool {
 public:
  static Acceptance accepts(const Node& node) {
    if (!node.has_output(0) || !node.has_output(1)) return Acceptance::decline("not both outputs are wanted");
    if (node.get_int("storage_order", 0) != 0) return Acceptance::decline("indices go by columns");
    if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
      return Acceptance::decline("more than 16 spatial axes");
    return {};
  }
  explicit IndexedMaxPool(const Node& node)
      : geometry_(ops::read_window(node, ops::read_kernel(node, static_cast<size_t>(node.input(0).rank) - 2)),
                  node.input(0), node.output(0)),
        bands_(geometry_),
        work_(base::is_integer(dtype(node.input(0))) ? dtype(node.input(0)) : work_float(node, 1)),
        operands_(node, 1, 2, work_, uint64_t{1} << 33) {
    if (!bands_.fit()) throw provider::Declined{"windows or rows are long"};
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  size_t table_bytes() const { return bands_.table_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    const WindowGeometry& g = geometry_;
    const int64_t width = g.out.back(), rows = g.out_size / width;
    dispatch(Types<float, double, int8_t, uint8_t>{}, work_, [&]<class T>(std::type_identity<T>) {
      const T* x = arrays.template in<T>(0);
      T* y = arrays.template out<T>(0);
      int64_t* indices = arrays.template out<int64_t>(1);
      parallel_polled(
          context, g.batch * g.out_channels * rows, Cost(width) * g.kernel_size * 4, [&](int64_t begin, int64_t end) {
            for (int64_t item = begin; item < end; ++item)
              row(x, item / rows * g.in_size, bands_.rows_of(item % rows), y + item * width, indices + item * width);
          });
    });
    operands_.store(context, arrays);
  }

 private:
  // Of equal elements the first one counts, and where none is greater than the least there is, the window's first.
  template <class T>
  void row(const T* x, int64_t plane, std::span<const int64_t> offsets, T* y, int64_t* indices) const {
    constexpr T kLeast =
        std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    const size_t last = geometry_.rank() - 1;
    const int64_t stride = geometry_.strides[last], step = geometry_.dilations[last], width = geometry_.in[last];
    const int64_t length = geometry_.kernel[last] * step;
    for (int64_t i = 0; i < geometry_.out[last]; ++i) {
      const int64_t start = i * stride - geometry_.pad_begin[last];
      const int64_t begin = start >= 0 ? start : start + (-start + step - 1) / step * step;
      const int64_t end = std::min(start + length, width);
      T best = kLeast;
      int64_t where = plane + (offsets.empty() || begin >= end ? 0 : offsets.front() + begin);
      for (const int64_t offset : offsets)
        for (int64_t at = begin; at < end; at += step) {
          const T value = x[plane + offset + at];
          const bool greater = value > best;
          best = greater ? value : best;
          where = greater ? plane + offset + at : where;
        }
      y[i] = best;
      indices[i] = where;
    }
  }

  WindowGeometry geometry_;
  PoolBands bands_;
  DType work_;
  WorkOperands operands_;
};

}  // namespace

void add_indexed_pools(provider::KernelTable& table) { table.add<IndexedMaxPool>("", "MaxPool", "indexed rows"); }

}  // namespace onnxrun::cpu
