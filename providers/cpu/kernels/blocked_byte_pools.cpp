// BlockedMaxPool of 8-bit integers: each kernel position takes the larger of a row of results and a shifted row of the input.
#include <algorithm>

#include "cpu/kernels/blocked.h"
#include "cpu/loops/block_windows.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/quantized_rows.h"

namespace onnxrun::cpu {
namespace {

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
  explicit BytePool(const Node& node) : windows_(blocked_windows(node)) {}
  void run(RunContext& context) const {
    const BlockWindows& w = windows_;
    const uint8_t* x = context.in<uint8_t>(0);
    uint8_t* y = context.out<uint8_t>(0);
    const int64_t rows = w.rows(), taps = std::min<int64_t>(w.kernel[0] * w.kernel[1], w.in[0] * w.in[1]);
    parallel_polled(context, w.planes * rows, Cost(w.out[2]) * w.block * std::max<int64_t>(1, taps) * 3,
                    [&](int64_t begin, int64_t end) {
                      Pacer pacer(context);
                      for (int64_t i = begin; i < end; ++i)
                        row(x + i / rows * w.in_plane(), i % rows, y + i * w.out[2] * w.block, pacer);
                    });
  }

 private:
  void row(const uint8_t* plane, int64_t at, uint8_t* to, Pacer& pacer) const {
    const BlockWindows& w = windows_;
    std::fill_n(to, w.out[2] * w.block, uint8_t{0});
    w.each_tap(at, pacer, [&](int64_t from, int64_t begin, int64_t end) {
      quantized_rows().take_larger(plane + from, w.strides[2] * w.block, to + begin * w.block, w.block, end - begin);
    });
  }

  BlockWindows windows_;
};

}  // namespace

void add_blocked_byte_pools(provider::KernelTable& table) { table.add<BytePool>("onnxrun", "BlockedMaxPool", "bytes"); }

}  // namespace onnxrun::cpu
