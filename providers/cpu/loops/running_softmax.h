// The softmax of a row of scores that come in tiles, with the weighted sum of values that goes with it.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "cpu/loops/rows.h"

namespace onnxrun::cpu {

// The score of what a query does not see.
inline constexpr float kMaskedScore = -std::numeric_limits<float>::infinity();

// Scores become weights relative to the largest so far; what was summed before is scaled to it.
struct RunningSoftmax {
  float largest = kMaskedScore;
  double total = 0;

  // Starts with one more score that has no value: it only adds to the denominator.
  void start_with(float score) {
    largest = score;
    total = 1;
  }
  // Turns `count` scores into weights and scales the sum `y` of `size` values. False when no key of the tile is seen.
  bool take(float* scores, int64_t count, float* y, int64_t size) {
    const float peak = row_max(scores, count);
    if (peak == kMaskedScore) return false;
    if (!(peak <= largest)) {
      if (total != 0) {
        const float factor = std::exp(largest - peak);
        total *= static_cast<double>(factor);
        row_scale(y, factor, y, size);
      }
      largest = peak;
    }
    total += row_exp(scores, largest, scores, count);
    return true;
  }
  void finish(float* y, int64_t size) const {
    if (total != 0) row_scale(y, static_cast<float>(1.0 / total), y, size);
  }
};

}  // namespace onnxrun::cpu
