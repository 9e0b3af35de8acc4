// ToBlocked and FromBlocked, and the table of all kernels on blocked channels.
#include "cpu/kernels/blocked.h"

#include <algorithm>
#include <cstring>

#include "cpu/loops/polled.h"
#include "cpu/loops/quantized_rows.h"
#include "cpu/loops/transpose_tile.h"

namespace onnxrun::cpu {
namespace {

// Elements of a plane that are moved at a time.
constexpr int64_t kPiece = 4096;
constexpr uint8_t kSign = 0x80;

// A plain and a blocked form of the same value.
struct Forms {
  int64_t batch = 0, channels = 0, blocks = 0, block = 0, size = 1, bytes = 1;  // bytes of an element
  bool flips = false;                                                           // between int8 and uint8

  Forms(const onnxrun_tensor& plain, const onnxrun_tensor& blocked) {
    const auto p = provider::dims(plain), b = provider::dims(blocked);
    batch = p[0];
    channels = p[1];
    blocks = b[1];
    block = b.back();
    bytes = dtype(plain) == DType::kFloat32 ? 4 : 1;
    flips = dtype(plain) != dtype(blocked);
    for (size_t d = 2; d < p.size(); ++d) size *= p[d];
  }
  // Calls f(offset in the plain form, offset in the blocked one, channels, elements) for pieces of planes that lie in one block.
  template <class F>
  void each(RunContext& context, F f) const {
    const int64_t pieces = (size + kPiece - 1) / kPiece;
    parallel_polled(context, batch * blocks * pieces, Cost(std::min(size, kPiece)) * block * bytes * 2,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t i = begin; i < end; ++i) {
                        const int64_t at = i % pieces * kPiece, b = i / pieces % blocks, n = i / pieces / blocks;
                        f((n * channels + b * block) * size + at, ((n * blocks + b) * size + at) * block,
                          std::min(block, channels - b * block), std::min(kPiece, size - at));
                      }
                    });
  }
};

Acceptance accept_elements(const Node& node) {
  switch (dtype(node.input(0))) {
    case DType::kFloat32:
    case DType::kInt8:
    case DType::kUint8: return {};
    default: return Acceptance::decline("moves float32 and 8-bit integers only");
  }
}

class ToBlocked {
 public:
  static Acceptance accepts(const Node& node) { return accept_elements(node); }
  explicit ToBlocked(const Node& node) : forms_(node.input(0), node.output(0)) {}
  void run(RunContext& context) const {
    const char* x = context.in<char>(0);
    char* y = context.out<char>(0);
    const int64_t bytes = forms_.bytes;
    forms_.each(context, [&](int64_t plain, int64_t blocked, int64_t channels, int64_t count) {
      char* to = y + blocked * bytes;
      if (channels < forms_.block) std::memset(to, 0, static_cast<size_t>(count * forms_.block * bytes));
      transpose_tiles(bytes, x + plain * bytes, forms_.size * bytes, to, forms_.block * bytes, count, channels);
      if (forms_.flips) quantized_rows().flip(reinterpret_cast<uint8_t*>(to), kSign, count * forms_.block);
    });
  }

 private:
  Forms forms_;
};

class FromBlocked {
 public:
  static Acceptance accepts(const Node& node) { return accept_elements(node); }
  explicit FromBlocked(const Node& node) : forms_(node.output(0), node.input(0)) {}
  void run(RunContext& context) const {
    const char* x = context.in<char>(0);
    char* y = context.out<char>(0);
    const int64_t bytes = forms_.bytes;
    forms_.each(context, [&](int64_t plain, int64_t blocked, int64_t channels, int64_t count) {
      char* to = y + plain * bytes;
      transpose_tiles(bytes, x + blocked * bytes, forms_.block * bytes, to, forms_.size * bytes, channels, count);
      for (int64_t c = 0; forms_.flips && c < channels; ++c)
        quantized_rows().flip(reinterpret_cast<uint8_t*>(to) + c * forms_.size, kSign, count);
    });
  }

 private:
  Forms forms_;
};

}  // namespace

void kernels_onnxrun_blocked(provider::KernelTable& table) {
  table.add<ToBlocked>("onnxrun", "ToBlocked", "tiles");
  table.add<FromBlocked>("onnxrun", "FromBlocked", "tiles");
  add_blocked_integer_convolutions(table);
  add_blocked_byte_pools(table);
  add_blocked_lrn(table);
  add_blocked_convolutions(table);
  add_blocked_pools(table);
}

}  // namespace onnxrun::cpu
