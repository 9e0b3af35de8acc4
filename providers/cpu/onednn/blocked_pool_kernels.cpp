// BlockedMaxPool, BlockedAveragePool and BlockedGlobalAveragePool in float32 by oneDNN.
#include "cpu/kernels/blocked.h"

#include <algorithm>
#include <limits>

#include "base/parallel.h"
#include "cpu/loops/float_sum.h"
#include "cpu/onednn/pooling.h"

namespace onnxrun::cpu {
namespace {

using dnnl::algorithm;

Acceptance accept_blocks(const Node& node) {
  Acceptance acceptance = accept_blocked_floats(node);
  if (!acceptance.declined() && node.input(0).dims[node.input(0).rank - 1] != onednn::block())
    return Acceptance::decline(fmt::format("blocks have {} channels here", onednn::block()));
  return acceptance;
}

int threads(const Node& node) { return node.threads() > 0 ? node.threads() : base::available_cpus(); }

template <algorithm kAlgorithm>
class BlockedPool {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance acceptance = accept_blocks(node);
    if (acceptance.declined()) return acceptance;
    if (blocked_pool_window(node).ceil_mode && with_pads(node))
      return Acceptance::decline("windows that count only some of the padding");
    return kAlgorithm == algorithm::pooling_max ? accept_blocked_windows(node) : accept_blocked_averages(node);
  }
  explicit BlockedPool(const Node& node)
      : pooling_(blocked_geometry(blocked_pool_window(node), node.input(0), node.output(0), node.input(0).dims[1],
                                  node.input(0).dims[1]),
                 with_pads(node) ? algorithm::pooling_avg_include_padding : kAlgorithm, threads(node)),
        empty_(provider::count(node.input(0)) == 0),
        count_(provider::count(node.output(0))) {}
  size_t scratch_bytes() const { return pooling_.scratch_bytes(); }
  size_t table_bytes() const { return pooling_.table_bytes(); }
  void run(RunContext& context) const {
    float* y = context.out<float>(0);
    if (empty_)
      std::fill_n(y, count_, kAlgorithm == algorithm::pooling_max ? -std::numeric_limits<float>::infinity() : 0.0f);
    else pooling_.run(context, context.in<float>(0), y, static_cast<char*>(context.scratch()));
  }

 private:
  static bool with_pads(const Node& node) {
    return kAlgorithm != algorithm::pooling_max && node.get_int("count_include_pad", 0) != 0;
  }

  onednn::Pooling pooling_;
  bool empty_;
  int64_t count_;
};

class BlockedGlobalPool {
 public:
  static Acceptance accepts(const Node& node) { return accept_blocks(node); }
  explicit BlockedGlobalPool(const Node& node)
      : pooling_(geometry(node), algorithm::pooling_avg_exclude_padding, threads(node)),
        empty_(provider::count(node.input(0)) == 0),
        count_(provider::count(node.output(0))) {}
  size_t scratch_bytes() const { return pooling_.scratch_bytes(); }
  size_t table_bytes() const { return pooling_.table_bytes(); }
  void run(RunContext& context) const {
    float* y = context.out<float>(0);
    if (empty_) std::fill_n(y, count_, std::numeric_limits<float>::quiet_NaN());  // the mean of nothing
    else pooling_.run(context, context.in<float>(0), y, static_cast<char*>(context.scratch()));
  }

 private:
  static WindowGeometry geometry(const Node& node) {
    const auto dims = provider::dims(node.input(0));
    const size_t axes = dims.size() - 3;
    int64_t image = 1;
    for (size_t d = 0; d < axes; ++d)
      if (__builtin_mul_overflow(image, dims[d + 2], &image) || image > kMostFloatSum)
        throw provider::Declined{"the mean of more elements than a float32 sum is exact enough for"};
    ops::Window window;
    for (size_t d = 0; d < axes; ++d) window.kernel.push_back(std::max<int64_t>(1, dims[d + 2]));
    window.strides.assign(axes, 1);
    window.dilations.assign(axes, 1);
    window.pads.assign(2 * axes, 0);
    return blocked_geometry(window, node.input(0), node.output(0), dims[1], dims[1]);
  }

  onednn::Pooling pooling_;
  bool empty_;
  int64_t count_;
};

}  // namespace

void add_onednn_blocked_pools(provider::KernelTable& table) {
  table.add<BlockedPool<algorithm::pooling_max>>("onnxrun", "BlockedMaxPool", "onednn");
  table.add<BlockedPool<algorithm::pooling_avg_exclude_padding>>("onnxrun", "BlockedAveragePool", "onednn");
  table.add<BlockedGlobalPool>("onnxrun", "BlockedGlobalAveragePool", "onednn");
}

}  // namespace onnxrun::cpu
