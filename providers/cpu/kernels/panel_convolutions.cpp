// Conv, and FusedConv with what it adds and its activation, in float32 as a product of the weights with columns of the input, which are packed piece by piece.
#include "base/parallel.h"

#include <algorithm>
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/block_end.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class Conv {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (type != DType::kFloat32 && type != DType::kFloat16 && type != DType::kBfloat16)
      return Acceptance::decline("computes in float32 only");
    if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
      return Acceptance::decline("more than 16 spatial axes");
    if (!end_of_convolution(node))
      return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    return {};
  }
  explicit Conv(const Node& node)
      : g_(ops::read_window(node, kernel_of(node.input(1))), node.input(0), node.output(0)),
        group_(node.get_int("group", 1)),
        operands_(node, 4, 1, DType::kFloat32),
        end_(*end_of_convolution(node)),
        slots_(base::available_cpus()) {
    channels_ = g_.in_channels / group_;
    filters_ = g_.out_channels / group_;
    depth_ = channels_ * g_.kernel_size;
    if (depth_ == 0) throw provider::Declined{"no channels to sum"};
    if (filters_ < 4 && channels_ < 4) throw provider::Declined{"depthwise"};
    const auto is = [](int64_t value) { return [value](int64_t other) { return other == value; }; };
    pointwise_ = g_.kernel_size == 1 && std::all_of(g_.strides.begin(), g_.strides.end(), is(1)) &&
                 std::all_of(g_.pad_begin.begin(), g_.pad_begin.end(), is(0)) && g_.in == g_.out;
  }
  size_t scratch_bytes() const {
    return operands_.scratch_bytes() + static_cast<size_t>(slots_ * kDepth * kPanel) * sizeof(float);
  }

  void run(RunContext& context) const {
    if (g_.batch * g_.out_channels * g_.out_size == 0) return;
    const auto arrays = operands_.load(context);
    float* scratch = reinterpret_cast<float*>(static_cast<char*>(context.scratch()) + operands_.scratch_bytes());
    const int64_t panels = (g_.out_size + kPanel - 1) / kPanel;
    const int64_t slots = std::min<int64_t>(slots_, context.threads());
    int64_t blocks = 1;  // of filters, where there are too few panels
    while (blocks < 8 && g_.batch * group_ * panels * blocks < 4 * slots && filters_ / blocks >= 48) blocks *= 2;
    const int64_t rows = (filters_ + blocks - 1) / blocks;
    // Panels are taken in runs whose results stay in the first-level cache until they are finished.
    const int64_t together = std::clamp<int64_t>(kRunFloats / (rows * kPanel), 1, panels);
    const int64_t runs = (panels + together - 1) / together, items = g_.batch * group_ * runs * blocks;
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      Pacer pacer(context);
      for (int64_t slot = begin; slot < end; ++slot) {
        for (int64_t item = items * slot / slots; item < items * (slot + 1) / slots; ++item) {
          const int64_t block = item % blocks, run = item / blocks % runs, image = item / blocks / runs;
          const int64_t first = block * rows, column = run * together * kPanel;
          if (first < filters_)
            compute(arrays, image, column, std::min(together * kPanel, g_.out_size - column), first,
                    std::min(rows, filters_ - first), scratch + slot * kDepth * kPanel, pacer);
        }
      }
    });
    operands_.store(context, arrays);
  }

 private:
  static constexpr int64_t kDepth = 512;
  static constexpr int64_t kRunFloats = 8192;

  // Filters [first, first + count) of group image % group_ at output columns [column, column + columns), which begin a panel.
  void compute(const WorkOperands::Arrays& arrays, int64_t image, int64_t column, int64_t columns, int64_t first,
               int64_t count, float* packed, Pacer& pacer) const {
    const int64_t n = image / group_, m = image % group_ * filters_ + first;
    const float* x = arrays.in<float>(0) + (n * g_.in_channels + image % group_ * channels_) * g_.in_size;
    const float* bias = arrays.in<float>(2);
    float* y = arrays.out<float>(0) + (n * g_.out_channels + m) * g_.out_size + column;
    if (bias != nullptr)
      for (int64_t i = 0; i < count; ++i) std::fill_n(y + i * g_.out_size, columns, bias[m + i]);
    for (int64_t at = 0; at < columns; at += kPanel) {
      const int64_t wide = std::min(kPanel, columns - at);
      for (int64_t from = 0; from < depth_; from += kDepth) {
        const int64_t depth = std::min(kDepth, depth_ - from);
        pacer.did(depth * wide * (count / 8 + 1));
        for (int64_t i = 0; i < depth; ++i) load_row(x, from + i, column + at, wide, packed + i * kPanel);
        multiply_panels(arrays.in<float>(1) + m * depth_ + from, depth_, packed, count, depth, wide,
                        bias != nullptr || from > 0, y + at, g_.out_size);
      }
    }
    const float* added = arrays.in<float>(3);
    if (added == nullptr && !end_.present()) return;
    if (added != nullptr) added += y - arrays.out<float>(0);
    // Whole planes lie next to each other.
    const int64_t pieces = columns == g_.out_size ? 1 : count, length = columns * count / pieces;
    for (int64_t i = 0; i < pieces; ++i) {
      float* row = y + i * g_.out_size;
      if (added != nullptr) row_functions().add_scaled(added + i * g_.out_size, 1.0f, row, length);
      end_.finish(row, length);
    }
  }

  // The elements that tap `row` (channel and kernel position) sees at output columns [column, column + count).
  void load_row(const float* x, int64_t row, int64_t column, int64_t count, float* to) const {
    if (pointwise_) {
      std::fill(std::copy_n(x + row * g_.in_size + column, count, to), to + kPanel, 0.0f);
      return;
    }
    const size_t last = g_.rank() - 1;
    const float* plane = x + row / g_.kernel_size * g_.in_size;
    int64_t k[kMaxSpatialAxes], o[kMaxSpatialAxes];
    coordinates(row % g_.kernel_size, g_.kernel, last + 1, k);
    coordinates(column, g_.out, last + 1, o);
    const int64_t stride = g_.strides[last], shift = k[last] * g_.dilations[last] - g_.pad_begin[last],
                  width = g_.in[last];
    for (int64_t done = 0; done < count;) {
      const int64_t run = std::min(count - done, g_.out[last] - o[last]);
      int64_t offset = 0;
      bool inside = true;
      for (size_t d = 0; d < last; ++d) {
        const int64_t i = o[d] * g_.strides[d] + k[d] * g_.dilations[d] - g_.pad_begin[d];
        inside = inside && i >= 0 && i < g_.in[d];
        offset = offset * g_.in[d] + i;
      }
      const int64_t begin = o[last], end = begin + run;
      int64_t low = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
      int64_t high = shift >= width ? 0 : (width - 1 - shift) / stride + 1;
      low = inside ? std::clamp(low, begin, end) : end;
      high = std::clamp(high, low, end);
      float* out = to + done - begin;
      std::fill(out + begin, out + low, 0.0f);
      const float* from = plane + offset * width + shift;
      if (stride == 1) std::copy(from + low, from + high, out + low);
      else
        for (int64_t i = low; i < high; ++i) out[i] = from[i * stride];
      std::fill(out + high, out + end, 0.0f);
      done += run;
      o[last] = 0;
      for (size_t d = last; d-- > 0;) {
        if (++o[d] < g_.out[d]) break;
        o[d] = 0;
      }
    }
    std::fill(to + count, to + kPanel, 0.0f);
  }

  WindowGeometry g_;
  int64_t group_, channels_ = 1, filters_ = 1, depth_ = 1;
  WorkOperands operands_;
  BlockEnd end_;
  int64_t slots_;
  bool pointwise_ = false;  // columns of the output are those of the input
};

}  // namespace

void add_panel_convolutions(provider::KernelTable& table) {
  table.add<Conv>("", "Conv", "panels");
  table.add<Conv>("com.microsoft", "FusedConv", "panels");
}

}  // namespace onnxrun::cpu
