// Keeping the best finished sequences.
#include "run/structural/generation/hypotheses.h"

#include <algorithm>
#include <cmath>

namespace onnxrun::run {

float Hypotheses::score(float sum, int64_t length) const {
  return sum / std::pow(static_cast<float>(length), length_penalty_);
}

void Hypotheses::add(std::span<const int32_t> tokens, float sum) {
  const float value = score(sum, static_cast<int64_t>(tokens.size()));
  if (full() && !(value > kept_.back().score)) return;
  if (full()) kept_.pop_back();
  const auto place =
      std::upper_bound(kept_.begin(), kept_.end(), value, [](float v, const Hypothesis& h) { return v > h.score; });
  kept_.insert(place, {value, {tokens.begin(), tokens.end()}});
}

}  // namespace onnxrun::run
