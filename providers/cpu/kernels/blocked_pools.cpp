// BlockedMaxPool, BlockedAveragePool and BlockedGlobalAveragePool in float32: each kernel position adds a shifted row of blocks to a row of results.
#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/kernels/blocked.h"
#include "cpu/loops/block_windows.h"
#include "cpu/loops/float_sum.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/table_bytes.h"

namespace onnxrun::cpu {

ops::Window blocked_pool_window(const Node& node) {
  return ops::read_window(node, ops::read_kernel(node, static_cast<size_t>(node.input(0).rank) - 3));
}

BlockWindows blocked_windows(const Node& node) {
  const onnxrun_tensor& x = node.input(0);
  return {blocked_geometry(blocked_pool_window(node), x, node.output(0), x.dims[1], x.dims[1]), x.dims[x.rank - 1]};
}

Acceptance accept_blocked_floats(const Node& node) {
  const onnxrun_tensor& x = node.input(0);
  if (dtype(x) != DType::kFloat32) return Acceptance::decline("computes in float32 only");
  if (x.rank < 4 || x.rank > 6) return Acceptance::decline("pools along one to three axes");
  return {};
}

Acceptance accept_blocked_windows(const Node& node) {
  const ops::Window window = blocked_pool_window(node);
  for (size_t d = 0; d < window.rank(); ++d) {
    if (window.dilations[d] != 1) return Acceptance::decline("dilated windows");
    if (std::max(window.pads[d], window.pads[d + window.rank()]) >= window.kernel[d])
      return Acceptance::decline("windows that lie in the padding");
  }
  return {};
}

Acceptance accept_blocked_averages(const Node& node) {
  int64_t elements = 1;
  for (const int64_t size : blocked_pool_window(node).kernel)
    if (__builtin_mul_overflow(elements, size, &elements) || elements > kMostFloatSum)
      return Acceptance::decline("averages of more elements than a float32 sum is exact enough for");
  return accept_blocked_windows(node);
}

namespace {

constexpr int64_t kLanes[] = {8, 16};

Acceptance accept_lanes(const Node& node) {
  Acceptance acceptance = accept_blocked_floats(node);
  if (acceptance.declined()) return acceptance;
  const int64_t block = node.input(0).dims[node.input(0).rank - 1];
  if (std::find(std::begin(kLanes), std::end(kLanes), block) == std::end(kLanes))
    return Acceptance::decline("blocks of 8 or 16 channels");
  return acceptance;
}

// to[i] = step(to[i], from[i]) for each lane of `count` blocks, those of `from` `apart` elements apart.
template <int64_t kBlock, class Step>
void step_blocks(const float* from, int64_t apart, float* to, int64_t count, Step step) {
  for (int64_t i = 0; i < count; ++i, from += apart, to += kBlock)
    for (int64_t lane = 0; lane < kBlock; ++lane) to[lane] = step(to[lane], from[lane]);
}
template <class Step>
void step_blocks(int64_t block, const float* from, int64_t apart, float* to, int64_t count, Step step) {
  if (block == kLanes[1]) step_blocks<kLanes[1]>(from, apart, to, count, step);
  else step_blocks<kLanes[0]>(from, apart, to, count, step);
}

constexpr auto kLarger = [](float best, float value) { return value > best ? value : best; };
constexpr auto kSum = [](float sum, float value) { return sum + value; };

template <bool kAverages>
class Pool {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance acceptance = accept_lanes(node);
    if (acceptance.declined()) return acceptance;
    return kAverages ? accept_blocked_averages(node) : accept_blocked_windows(node);
  }
  explicit Pool(const Node& node) : windows_(blocked_windows(node)) {
    if (!kAverages || provider::count(node.output(0)) == 0) return;
    const bool with_pads = node.get_int("count_include_pad", 0) != 0;
    for (size_t axis = 0; axis < BlockWindows::kAxes; ++axis) {
      base::take_kernel_memory(base::checked_mul(windows_.out[axis], sizeof(float)));
      counts_[axis].reserve(static_cast<size_t>(windows_.out[axis]));
      for (int64_t at = 0; at < windows_.out[axis]; ++at) counts_[axis].push_back(count(axis, at, with_pads));
    }
  }
  size_t table_bytes() const {
    size_t bytes = 0;
    for (const std::vector<float>& counts : counts_) bytes += bytes_outside(counts);
    return bytes;
  }
  void run(RunContext& context) const {
    const BlockWindows& w = windows_;
    if (provider::count(context.output(0)) == 0) return;
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    const int64_t rows = w.rows(), taps = std::min<int64_t>(w.kernel[0] * w.kernel[1], w.in[0] * w.in[1]);
    parallel_polled(context, w.planes * rows, Cost(w.out[2]) * w.block * std::max<int64_t>(1, taps) * 12,
                    [&](int64_t begin, int64_t end) {
                      Pacer pacer(context);
                      for (int64_t i = begin; i < end; ++i)
                        row(x + i / rows * w.in_plane(), i % rows, y + i * w.out[2] * w.block, pacer);
                    });
  }

 private:
  // Elements of the window at `at` along an axis: those in the image, or in the padded image.
  float count(size_t axis, int64_t at, bool with_pads) const {
    const auto [begin, end] = windows_.inside(axis, at);
    if (!with_pads) return static_cast<float>(end - begin);
    const int64_t left =
        windows_.in[axis] + windows_.end_pads[axis] - (at * windows_.strides[axis] - windows_.pads[axis]);
    return static_cast<float>(std::clamp<int64_t>(left, 0, windows_.kernel[axis]));
  }

  void row(const float* plane, int64_t at, float* to, Pacer& pacer) const {
    const BlockWindows& w = windows_;
    std::fill_n(to, w.out[2] * w.block, kAverages ? 0.0f : -std::numeric_limits<float>::infinity());
    w.each_tap(at, pacer, [&](int64_t from, int64_t begin, int64_t end) {
      const auto step = [&](auto with) {
        step_blocks(w.block, plane + from, w.strides[2] * w.block, to + begin * w.block, end - begin, with);
      };
      if constexpr (kAverages) step(kSum);
      else step(kLarger);
    });
    if constexpr (kAverages) {
      const float outer =
          counts_[0][static_cast<size_t>(at / w.out[1])] * counts_[1][static_cast<size_t>(at % w.out[1])];
      for (int64_t i = 0; i < w.out[2]; ++i) {
        const float divisor = outer * counts_[2][static_cast<size_t>(i)];
        for (int64_t lane = 0; lane < w.block; ++lane)
          to[i * w.block + lane] = divisor == 0 ? 0.0f : to[i * w.block + lane] / divisor;
      }
    }
  }

  BlockWindows windows_;
  std::array<std::vector<float>, BlockWindows::kAxes> counts_;  // by axis and window
};

class GlobalPool {
 public:
  static Acceptance accepts(const Node& node) { return accept_lanes(node); }
  explicit GlobalPool(const Node& node) : block_(node.input(0).dims[node.input(0).rank - 1]) {
    const auto dims = provider::dims(node.input(0));
    planes_ = dims[0] * dims[1];
    for (size_t d = 2; d + 1 < dims.size(); ++d) size_ *= dims[d];
  }
  void run(RunContext& context) const {
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    parallel_polled(context, planes_, Cost(size_) * block_ * 4, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) mean(x + plane * size_ * block_, y + plane * block_);
    });
  }

 private:
  // Sums of short stretches are summed in double, so that the error does not grow with the image.
  void mean(const float* from, float* to) const {
    constexpr int64_t kStretch = 64;
    double sums[kLanes[1]] = {};
    for (int64_t at = 0; at < size_; at += kStretch) {
      float part[kLanes[1]] = {};
      const int64_t count = std::min(kStretch, size_ - at);
      for (int64_t i = 0; i < count; ++i) step_blocks(block_, from + (at + i) * block_, 0, part, 1, kSum);
      for (int64_t lane = 0; lane < block_; ++lane) sums[lane] += static_cast<double>(part[lane]);
    }
    // Of nothing it is not a number.
    for (int64_t lane = 0; lane < block_; ++lane)
      to[lane] = static_cast<float>(sums[lane] / static_cast<double>(size_));
  }

  int64_t block_, planes_ = 0, size_ = 1;
};

}  // namespace

void add_blocked_pools(provider::KernelTable& table) {
  add_onednn_blocked_pools(table);
  table.add<Pool<false>>("onnxrun", "BlockedMaxPool", "blocks");
  table.add<Pool<true>>("onnxrun", "BlockedAveragePool", "blocks");
  table.add<GlobalPool>("onnxrun", "BlockedGlobalAveragePool", "blocks");
}

}  // namespace onnxrun::cpu
