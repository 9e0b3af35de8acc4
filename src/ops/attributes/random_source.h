// The random numbers of a node: with the attribute `seed` every run draws the same, without it each draws others.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <random>

namespace onnxrun::ops {

// A key and a stream of base::philox.
struct RandomStream {
  uint64_t key = 0, stream = 0;
};

class RandomSource {
 public:
  template <class Node>
  explicit RandomSource(const Node& node) : seeded_(node.has("seed")) {
    if (seeded_) key_ = std::bit_cast<uint32_t>(node.get_float("seed", 0));
    else key_ = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  }
  // For one run. Thread-safe.
  RandomStream next() const { return {key_, seeded_ ? 0 : runs_.fetch_add(1, std::memory_order_relaxed)}; }

 private:
  bool seeded_;
  uint64_t key_ = 0;
  mutable std::atomic<uint64_t> runs_{0};
};

}  // namespace onnxrun::ops
