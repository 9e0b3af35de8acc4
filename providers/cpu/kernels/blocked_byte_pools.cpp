// BlockedMaxPool of 8-bit integers: each kernel position takes the larger of a row of results and a shifted row of the input.
#include <algorithm>
#include <array>

#include "cpu/kernels/blocked.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/quantized_rows.h"

namespace onnxrun::cpu {
namespace {

constexpr size_t kAxes = 3;
using Three = std::array<int64_t, kAxes>;

// The last of `values` behind as many `fill` as are missing.
Three three(const std::vector<int64_t>& values, int64_t fill) {
  Three result;
  result.fill(fill);
  std::copy(values.begin(), values.end(), result.end() - static_cast<int64_t>(values.size()));
  return result;
}

class BytePool {
 public:
  static Acceptance accepts(const Node& node) {
    const onnxrun_tensor& x = node.input(0);
    if (dtype(x) != DType::kUint8) return Acceptance::decline("takes uint8 only");
    if (x.rank < 4 || x.rank > 6) return Acceptance::decline("pools along one to three axes");
    const int64_t block = x.dims[x.rank - 1];
    if (block != 8 && block != 16) return Acceptance::decline("blocks of 8 or 16 channels");
    return {};
  }
  explicit BytePool(const Node& node) : block_(node.input(0).dims[node.input(0).rank - 1]) {
    const size_t axes = static_cast<size_t>(node.input(0).rank) - 3;
    const WindowGeometry g = blocked_geometry(ops::read_window(node, ops::read_kernel(node, axes)), node.input(0),
                                              node.output(0), node.input(0).dims[1], node.input(0).dims[1]);
    planes_ = g.batch * g.in_channels;
    in_ = three(g.in, 1);
    out_ = three(g.out, 1);
    kernel_ = three(g.kernel, 1);
    strides_ = three(g.strides, 1);
    dilations_ = three(g.dilations, 1);
    pads_ = three(g.pad_begin, 0);
  }
  void run(RunContext& context) const {
    const uint8_t* x = context.in<uint8_t>(0);
    uint8_t* y = context.out<uint8_t>(0);
    const int64_t rows = out_[0] * out_[1], taps = std::min<int64_t>(kernel_[0] * kernel_[1], in_[0] * in_[1]);
    parallel_polled(context, planes_ * rows, out_[2] * block_ * std::max<int64_t>(1, taps) * 3,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t i = begin; i < end; ++i)
                        row(x + i / rows * in_[0] * in_[1] * in_[2] * block_, i % rows, y + i * out_[2] * block_);
                    });
  }

 private:
  // Kernel positions [begin, end) along an axis that lie in the image for the window at `at`.
  std::pair<int64_t, int64_t> inside(size_t axis, int64_t at) const {
    const int64_t first = at * strides_[axis] - pads_[axis], step = dilations_[axis];
    const int64_t begin = first >= 0 ? 0 : (-first + step - 1) / step;
    const int64_t end = first >= in_[axis] ? 0 : std::min(kernel_[axis], (in_[axis] - 1 - first) / step + 1);
    return {begin, std::max(begin, end)};
  }
  void row(const uint8_t* plane, int64_t at, uint8_t* to) const {
    std::fill_n(to, out_[2] * block_, uint8_t{0});
    const int64_t z = at / out_[1], y = at % out_[1];
    const auto [z_begin, z_end] = inside(0, z);
    const auto [y_begin, y_end] = inside(1, y);
    for (int64_t i = z_begin; i < z_end; ++i)
      for (int64_t j = y_begin; j < y_end; ++j) {
        const int64_t depth = z * strides_[0] - pads_[0] + i * dilations_[0],
                      height = y * strides_[1] - pads_[1] + j * dilations_[1];
        take(plane + (depth * in_[1] + height) * in_[2] * block_, to);
      }
  }
  void take(const uint8_t* from, uint8_t* to) const {
    const int64_t most = std::min(kernel_[2], (in_[2] + pads_[2]) / dilations_[2] + 1);  // those beyond see nothing
    for (int64_t k = 0; k < most; ++k) {
      // Results [begin, end) see the image with this position.
      const int64_t shift = k * dilations_[2] - pads_[2], stride = strides_[2];
      const int64_t begin = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
      const int64_t end = shift >= in_[2] ? 0 : std::min(out_[2], (in_[2] - 1 - shift) / stride + 1);
      if (begin < end)
        quantized_rows().take_larger(from + (begin * stride + shift) * block_, stride * block_, to + begin * block_,
                                     block_, end - begin);
    }
  }

  int64_t block_, planes_ = 0;
  Three in_, out_, kernel_, strides_, dilations_, pads_;
};

}  // namespace

void add_blocked_byte_pools(provider::KernelTable& table) { table.add<BytePool>("onnxrun", "BlockedMaxPool", "bytes"); }

}  // namespace onnxrun::cpu
