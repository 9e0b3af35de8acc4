// Extents of numbers that several threads look at.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "cpu/loops/parts.h"

namespace onnxrun::cpu {

// Magnitudes as integers, which are in the same order.
class SharedExtents {
 public:
  void take(const PartExtents& e) {
    const auto least = std::bit_cast<uint32_t>(e.least), most = std::bit_cast<uint32_t>(e.most);
    for (uint32_t held = least_; least < held && !least_.compare_exchange_weak(held, least);) {
    }
    for (uint32_t held = most_; most > held && !most_.compare_exchange_weak(held, most);) {
    }
  }
  PartExtents result() const { return {std::bit_cast<float>(least_.load()), std::bit_cast<float>(most_.load())}; }

 private:
  std::atomic<uint32_t> least_ = std::bit_cast<uint32_t>(PartExtents().least), most_ = 0;
};

}  // namespace onnxrun::cpu
