// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, 2011): random numbers by counter, so that element
// i of a stream is the same whoever computes it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

class Philox {
 public:
  Philox(uint64_t key, uint64_t stream) : key_(key), stream_(stream) {}

  // The four 32-bit words of block `index`.
  std::array<uint32_t, 4> block(uint64_t index) const {
    std::array<uint32_t, 4> c = {low(index), high(index), low(stream_), high(stream_)};
    uint32_t k0 = low(key_), k1 = high(key_);
    for (int round = 0; round < 10; ++round) {
      const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
      c = {high(b) ^ c[1] ^ k0, low(b), high(a) ^ c[3] ^ k1, low(a)};
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    return c;
  }

  // Uniform in [0, 1), with 53 random bits.
  double uniform(uint64_t index) const {
    const auto words = block(index);
    return static_cast<double>(((uint64_t{words[0]} << 32) | words[1]) >> 11) * 0x1p-53;
  }

  // Standard normal, by Box and Muller's transform.
  double normal(uint64_t index) const {
    const auto words = block(index);
    const double u = (static_cast<double>(((uint64_t{words[0]} << 32) | words[1]) >> 11) + 0.5) * 0x1p-53;
    const double turn = static_cast<double>(((uint64_t{words[2]} << 32) | words[3]) >> 11) * 0x1p-53;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * turn);
  }

 private:
  static uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
  static uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }
  uint64_t key_, stream_;
};

// The generator of a node: with the attribute `seed` every run draws the same numbers, without it each draws others.
class RandomSource {
 public:
  explicit RandomSource(const provider::Node& node) : seeded_(node.has("seed")) {
    if (seeded_) key_ = std::bit_cast<uint32_t>(node.get_float("seed", 0));
    else key_ = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  }
  Philox next() const { return {key_, seeded_ ? 0 : runs_.fetch_add(1, std::memory_order_relaxed)}; }

 private:
  bool seeded_;
  uint64_t key_ = 0;
  mutable std::atomic<uint64_t> runs_{0};
};

}  // namespace onnxrun::cpu
