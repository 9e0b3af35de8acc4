// The best finished sequences of one batch item during a beam search.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace onnxrun::run {

class Hypotheses {
 public:
  Hypotheses(int64_t most, float length_penalty) : most_(static_cast<size_t>(most)), length_penalty_(length_penalty) {}

  struct Hypothesis {
    float score;
    std::vector<int32_t> tokens;
  };

  bool full() const { return kept_.size() == most_; }
  // Takes a sequence whose tokens' log probabilities sum up to `sum`, if it is among the best.
  void add(std::span<const int32_t> tokens, float sum);
  // Whether a sequence of `length` tokens with `sum` would be taken when full.
  bool can_improve(float sum, int64_t length) const { return score(sum, length) > kept_.back().score; }
  // Best first; of equal ones the earlier.
  const std::vector<Hypothesis>& kept() const { return kept_; }

 private:
  float score(float sum, int64_t length) const;

  size_t most_;
  float length_penalty_;
  std::vector<Hypothesis> kept_;
};

}  // namespace onnxrun::run
