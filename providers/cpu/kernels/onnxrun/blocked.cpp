// ToBlocked and FromBlocked, and the table of all kernels on blocked channels.
#include "cpu/kernels/blocked.h"

#include <algorithm>
#include <cstring>

#include "cpu/loops/polled.h"
#include "cpu/loops/transpose_tile.h"

namespace onnxrun::cpu {
namespace {

#if defined(ONNXRUN_ONEDNN)

// Elements of a plane that are moved at a time.
constexpr int64_t kPiece = 4096;
constexpr int64_t kBytes = sizeof(float);

// A plain and a blocked form of the same value.
struct Forms {
  int64_t batch = 0, channels = 0, blocks = 0, block = 0, size = 1;

  Forms(const onnxrun_tensor& plain, const onnxrun_tensor& blocked) {
    const auto p = provider::dims(plain), b = provider::dims(blocked);
    batch = p[0];
    channels = p[1];
    blocks = b[1];
    block = b.back();
    for (size_t d = 2; d < p.size(); ++d) size *= p[d];
  }
  // Calls f(offset in the plain form, offset in the blocked one, channels, elements) for pieces of planes that lie in one block.
  template <class F>
  void each(RunContext& context, F f) const {
    const int64_t pieces = (size + kPiece - 1) / kPiece;
    parallel_polled(context, batch * blocks * pieces, std::min(size, kPiece) * block * kBytes * 2,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t i = begin; i < end; ++i) {
                        const int64_t at = i % pieces * kPiece, b = i / pieces % blocks, n = i / pieces / blocks;
                        f((n * channels + b * block) * size + at, ((n * blocks + b) * size + at) * block,
                          std::min(block, channels - b * block), std::min(kPiece, size - at));
                      }
                    });
  }
};

Acceptance accept_float(const Node& node) {
  if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("moves float32 only");
  return {};
}

class ToBlocked {
 public:
  static Acceptance accepts(const Node& node) { return accept_float(node); }
  explicit ToBlocked(const Node& node) : forms_(node.input(0), node.output(0)) {}
  void run(RunContext& context) const {
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    forms_.each(context, [&](int64_t plain, int64_t blocked, int64_t channels, int64_t count) {
      if (channels < forms_.block) std::memset(y + blocked, 0, static_cast<size_t>(count * forms_.block * kBytes));
      transpose_tiles(kBytes, reinterpret_cast<const char*>(x + plain), forms_.size * kBytes,
                      reinterpret_cast<char*>(y + blocked), forms_.block * kBytes, count, channels);
    });
  }

 private:
  Forms forms_;
};

class FromBlocked {
 public:
  static Acceptance accepts(const Node& node) { return accept_float(node); }
  explicit FromBlocked(const Node& node) : forms_(node.output(0), node.input(0)) {}
  void run(RunContext& context) const {
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    forms_.each(context, [&](int64_t plain, int64_t blocked, int64_t channels, int64_t count) {
      transpose_tiles(kBytes, reinterpret_cast<const char*>(x + blocked), forms_.block * kBytes,
                      reinterpret_cast<char*>(y + plain), forms_.size * kBytes, channels, count);
    });
  }

 private:
  Forms forms_;
};

#endif

}  // namespace

void kernels_onnxrun_blocked([[maybe_unused]] provider::KernelTable& table) {
#if defined(ONNXRUN_ONEDNN)
  table.add<ToBlocked>("onnxrun", "ToBlocked", "tiles");
  table.add<FromBlocked>("onnxrun", "FromBlocked", "tiles");
  add_blocked_convolutions(table);
  add_blocked_pools(table);
#endif
}

}  // namespace onnxrun::cpu
