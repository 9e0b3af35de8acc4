// BlockedLRN in float32 with the exponent 3/4.
#include <algorithm>

#include "cpu/kernels/blocked.h"
#include "cpu/loops/local_response.h"
#include "cpu/loops/polled.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

class BlockedLrn {
 public:
  static Acceptance accepts(const Node& node) {
    const onnxrun_tensor& x = node.input(0);
    if (dtype(x) != DType::kFloat32) return Acceptance::decline("computes in float32 only");
    if (node.get_float("beta", 0.75f) != 0.75f) return Acceptance::decline("'beta' is not 0.75");
    if (x.rank < 4) return Acceptance::decline("no spatial axis");
    const int64_t vector = simd_level() >= SimdLevel::kV4 ? 16 : 8;
    if (x.dims[x.rank - 1] <= 0 || x.dims[x.rank - 1] % vector != 0)
      return Acceptance::decline(fmt::format("blocks are no multiples of {}", vector));
    if (x.dims[1] < 0 || x.dims[1] > kMostElements / x.dims[x.rank - 1] || node.get_int("size", 1) > kMostElements / 2)
      return Acceptance::decline("very many channels");
    return {};
  }

  explicit BlockedLrn(const Node& node) : bias_(node.get_float("bias", 1.0f)), window_(node.get_int("size", 1)) {
    const auto dims = provider::dims(node.input(0));
    batch_ = dims[0];
    blocks_ = dims[1];
    block_ = dims.back();
    for (size_t d = 2; d + 1 < dims.size(); ++d) pixels_ *= dims[d];
    factor_ = node.get_float("alpha", 1e-4f) / static_cast<float>(window_);
  }

  void run(RunContext& context) const {
    if (blocks_ == 0) return;
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    // Neighbours beyond the channels add nothing.
    const Neighbours reach{std::min((window_ - 1) / 2, blocks_ * block_), std::min(window_ / 2, blocks_ * block_)};
    const int64_t pieces = (pixels_ + kPixels - 1) / kPixels;
    parallel_polled(context, batch_ * pieces, Cost(kPixels) * blocks_ * block_ * (window_ + 8) / 4,
                    [&](int64_t begin, int64_t end) {
                      float squares[3 * kMostElements] = {};
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t first = item % pieces * kPixels;
                        const int64_t at = (item / pieces * blocks_ * pixels_ + first) * block_;
                        local_response().blocks(x + at, blocks_, block_, pixels_ * block_,
                                                std::min(kPixels, pixels_ - first), reach, bias_, factor_, squares,
                                                y + at);
                      }
                    });
  }

 private:
  static constexpr int64_t kMostElements = 4096, kPixels = 64;

  float bias_, factor_ = 0;
  int64_t window_;
  int64_t batch_ = 0, blocks_ = 0, block_ = 0, pixels_ = 1;
};

}  // namespace

void add_blocked_lrn(provider::KernelTable& table) { table.add<BlockedLrn>("onnxrun", "BlockedLRN", "roots"); }

}  // namespace onnxrun::cpu
