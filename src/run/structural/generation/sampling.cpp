// Nucleus sampling.
#include "run/structural/generation/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/charge.h"
#include "run/structural/generation/request.h"

namespace onnxrun::run {

Sampler::Sampler(StructuralContext& context) : context_(context) {
  const ir::Attributes& attributes = context.node().attributes;
  from_the_top_ = attributes.get_int("custom", 0) != 0;
  top_p_ = attributes.get_float("top_p", 0);
  filter_value_ = attributes.get_float("filter_value", -1e20f);
  keep_ = std::max<int64_t>(0, attributes.get_int("min_tokens_to_keep", 0));
  const auto seed = read_integer(context, 8, "seed");
  random_.seed(seed ? static_cast<uint32_t>(*seed) : std::random_device()());
}

void Sampler::filter(std::span<float> scores) const {
  const auto count = static_cast<int64_t>(scores.size());
  const base::Charge lists(context_.tensors().budget(), count * static_cast<int64_t>(sizeof(int64_t) + sizeof(float)));
  int64_t compared = 0;
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
    if ((++compared & 0xffff) == 0) context_.control().check();
    const float a = scores[static_cast<size_t>(i)], b = scores[static_cast<size_t>(j)];
    if (std::isnan(a) || std::isnan(b) || a == b) return std::isnan(a) != std::isnan(b) ? std::isnan(a) : i < j;
    return from_the_top_ ? a > b : a < b;
  });
  const auto at = [&](int64_t rank) -> float& { return scores[static_cast<size_t>(order[static_cast<size_t>(rank)])]; };
  const float largest = *std::max_element(scores.begin(), scores.end());
  std::vector<float> shares(scores.size());
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += shares[static_cast<size_t>(i)] = std::exp(at(i) - largest);
  float together = 0;
  for (int64_t i = 0; i < count; ++i) {
    together += shares[static_cast<size_t>(i)] / sum;
    if (from_the_top_) {
      // The token that passes top_p stays.
      if (together > top_p_ && i + 1 < count) at(i + 1) = filter_value_;
    } else if (together <= 1 - top_p_ && i < std::max<int64_t>(1, count - keep_)) {
      at(i) = filter_value_;
    }
  }
}

int32_t Sampler::draw(std::span<const float> scores) {
  float largest = std::numeric_limits<float>::lowest();
  for (const float score : scores)
    if (std::isfinite(score)) largest = std::max(largest, score);
  const base::Charge list(context_.tensors().budget(), static_cast<int64_t>(scores.size() * sizeof(double)));
  std::vector<double> together(scores.size());
  double sum = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i])) sum += std::exp(static_cast<double>(scores[i]) - static_cast<double>(largest));
    together[i] = sum;
  }
  // Two numbers of the generator make one in [0, 1).
  constexpr double kRange = std::minstd_rand0::max() - std::minstd_rand0::min() + 1.0;
  const double low = random_() - std::minstd_rand0::min();
  const double high = random_() - std::minstd_rand0::min();
  const double at = (low + high * kRange) / (kRange * kRange) * sum;
  const auto found = std::upper_bound(together.begin(), together.end(), at) - together.begin();
  return static_cast<int32_t>(std::min<int64_t>(found, static_cast<int64_t>(scores.size()) - 1));
}

}  // namespace onnxrun::run
