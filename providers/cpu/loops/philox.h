// Numbers of the distributions that random operators draw from, by counter.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/philox.h"
#include "ops/attributes/random_source.h"

namespace onnxrun::cpu {

class Philox {
 public:
  Philox(uint64_t key, uint64_t stream) : key_(key), stream_(stream) {}
  explicit Philox(const ops::RandomStream& source) : Philox(source.key, source.stream) {}

  base::PhiloxWords block(uint64_t index) const { return base::philox(key_, stream_, index); }

  // Uniform in [0, 1), with 53 random bits.
  double uniform(uint64_t index) const {
    const auto words = block(index);
    return static_cast<double>(base::upper_bits(words[0], words[1])) * 0x1p-53;
  }

  // Standard normal, by Box and Muller's transform.
  double normal(uint64_t index) const {
    const auto words = block(index);
    const double u = (static_cast<double>(base::upper_bits(words[0], words[1])) + 0.5) * 0x1p-53;
    const double turn = static_cast<double>(base::upper_bits(words[2], words[3])) * 0x1p-53;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * turn);
  }

 private:
  uint64_t key_, stream_;
};

}  // namespace onnxrun::cpu
