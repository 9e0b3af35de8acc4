// BlockedConv of 3x3 taps by Winograd's transforms, where the caller's precision allows errors that positions beside a result's own have a part in.
#include <algorithm>

#include "base/parallel.h"
#include "cpu/kernels/blocked.h"
#include "cpu/loops/float_weights.h"
#include "cpu/loops/winograd_convolution.h"

namespace onnxrun::cpu {
namespace {

class Winograds {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.precision() == ONNXRUN_PRECISION_HIGHEST)
      return Acceptance::decline("transforms operands, which float32_matmul_precision does not allow");
    if (std::string reason = refuse_tiles(node, winograd_functions().block); !reason.empty())
      return Acceptance::decline(std::move(reason));
    if (takes_plain(node)) return Acceptance::decline("takes its input in blocks");
    const onnxrun_tensor& weights = node.input(1);
    if (std::string reason = WinogradWeights::refuse(weights); !reason.empty())
      return Acceptance::decline(std::move(reason));
    if (node.get_int("group", 1) != 1) return Acceptance::decline("groups");
    for (const char* steps : {"strides", "dilations"})
      if (const auto values = node.get_ints(steps); std::ranges::any_of(values, [](int64_t step) { return step != 1; }))
        return Acceptance::decline(fmt::format("{} above 1", steps));
    if (small(node)) return Acceptance::decline("so few positions do not pay for reading the larger weights");
    const WinogradWeights packing(weights);
    if (!packing.takes(weights)) return Acceptance::decline("weights near float32's largest");
    Acceptance acceptance;
    acceptance.pack(packing.bytes(), {1}).takes_all_shapes();
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    WinogradWeights(node.input(1)).pack(FloatWeights(node.input(1)).data(), static_cast<float*>(bytes));
  }

  Winograds(const Node& node, const void* packed)
      : packed_(static_cast<const float*>(packed)),
        convolution_(blocked_geometry(node), node.threads() > 0 ? node.threads() : base::available_cpus()),
        end_(*end_of_blocked(node)),
        block_(winograd_functions().block) {
    if (end_.clamps()) convolution_.clamp(end_.low(), end_.high());
  }
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  void run(RunContext& context) const {
    convolution_.run(context, tiled_arrays(context, packed_), [&](float* values, int64_t count, int64_t filters) {
      end_.apply(values, count, block_, filters);
    });
  }

 private:
  // Whether the results are known to have so few positions that the numbers of the weights, 16/9 of them, are read for too few tiles.
  static bool small(const Node& node) {
    constexpr int64_t kLeastPositions = 96;
    const onnxrun_tensor& y = node.output(0);
    if (y.rank != 5) return false;
    for (const int64_t d : {0, 2, 3})
      if (y.dims[d] < 0) return false;
    return y.dims[0] < kLeastPositions && y.dims[2] < kLeastPositions && y.dims[3] < kLeastPositions &&
           y.dims[0] * y.dims[2] * y.dims[3] < kLeastPositions;
  }

  const float* packed_;
  WinogradConvolution convolution_;
  BlockEnd end_;
  int64_t block_;
};

}  // namespace

void add_winograd_convolutions(provider::KernelTable& table) {
  table.add<Winograds>("onnxrun", "BlockedConv", "winograd");
}

}  // namespace onnxrun::cpu
