// The mask of Dropout in training: what numpy's RandomState(seed).uniform gives, as the standard's reference does.
#pragma once

#include <cstdint>
#include <random>

namespace onnxrun::ops {

// Elements one after the other; the generator's state makes them depend on all before.
class DropoutMask {
 public:
  DropoutMask(uint32_t seed, double ratio) : random_(seed), ratio_(ratio) {}
  // Whether the next element is kept.
  bool next() {
    const uint32_t high = static_cast<uint32_t>(random_()) >> 5, low = static_cast<uint32_t>(random_()) >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0 >= ratio_;
  }

 private:
  std::mt19937 random_;
  double ratio_;
};

}  // namespace onnxrun::ops
