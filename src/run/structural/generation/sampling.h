// Drawing tokens from their scores (com.microsoft Sampling).
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include "run/structural.h"

namespace onnxrun::run {

class Sampler {
 public:
  // Reads the attributes; without a seed two runs differ.
  explicit Sampler(StructuralContext& context);

  // Gives all but the likeliest tokens, which have the probability top_p together, the score filter_value.
  void filter(std::span<float> scores) const;
  // A token, by the softmax of the scores.
  int32_t draw(std::span<const float> scores);

 private:
  StructuralContext& context_;
  bool from_the_top_;  // attribute `custom`
  float top_p_, filter_value_;
  int64_t keep_;
  std::minstd_rand0 random_;
};

}  // namespace onnxrun::run
