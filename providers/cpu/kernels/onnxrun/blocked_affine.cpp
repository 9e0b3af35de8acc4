// BlockedAffine in float32, with the activation that follows it.
#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/loops/block_end.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

// Elements that are taken at a time, and widest blocks.
constexpr int64_t kPieceAbout = 4096;
constexpr int64_t kMostLanes = 64;

std::optional<BlockEnd> end_of(const Node& node) {
  return BlockEnd::find(node.get_string("activation"), node.get_floats("activation_params"));
}

class BlockedAffine {
 public:
  static Acceptance accepts(const Node& node) {
    const onnxrun_tensor& x = node.input(0);
    if (dtype(x) != DType::kFloat32) return Acceptance::decline("computes in float32 only");
    if (x.rank < 4) return Acceptance::decline("the rank of the input is not known");
    const int64_t lanes = x.dims[x.rank - 1];
    if (lanes < 16 ? lanes != 8 : lanes % 16 != 0 || lanes > kMostLanes)
      return Acceptance::decline("blocks of 8, or of 16 to 64 channels in steps of 16");
    if (!end_of(node)) return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    Acceptance acceptance;
    acceptance.alias(0, 0);
    return acceptance;
  }

  explicit BlockedAffine(const Node& node) : end_(*end_of(node)), channels_(node.input(1).dims[0]) {
    const auto dims = provider::dims(node.input(0));
    block_ = dims.back();
    blocks_ = dims[1];
    for (size_t d = 2; d < dims.size(); ++d) plane_ *= dims[d];
    planes_ = dims[0] * blocks_;
  }

  void run(RunContext& context) const {
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    const int64_t piece = kPieceAbout / block_ * block_, pieces = (plane_ + piece - 1) / piece;
    parallel_polled(context, planes_ * pieces, Cost(std::min(plane_, piece)) * 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i / pieces % blocks_ * block_, count = std::min(block_, channels_ - first);
        float scale[kMostLanes] = {}, shift[kMostLanes] = {};
        std::copy_n(context.in<float>(1) + first, count, scale);
        std::copy_n(context.in<float>(2) + first, count, shift);
        const int64_t at = i / pieces * plane_ + i % pieces * piece;
        const int64_t elements = std::min(piece, plane_ - i % pieces * piece);
        row_functions().affine(x + at, scale, shift, block_, end_.low(), end_.high(), y + at, elements);
        end_.apply(y + at, elements, block_, count);
      }
    });
  }

 private:
  BlockEnd end_;
  int64_t channels_, block_ = 1, blocks_ = 1, plane_ = 1, planes_ = 1;
};

}  // namespace

void kernels_onnxrun_blocked_affine(provider::KernelTable& table) {
  table.add<BlockedAffine>("onnxrun", "BlockedAffine", "simd");
}

}  // namespace onnxrun::cpu
