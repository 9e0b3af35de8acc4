// Histogram: a stream of numbers in bounded memory, and the ranges that follow from it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantise/settings.h"

namespace onnxrun::quantise {

struct Range {
  float low = 0, high = 0;
};

// Counts of numbers in equal bins around zero. Where a number lies beyond the bins they become twice as wide.
class Histogram {
 public:
  // Throws kLimitExceeded where there is no room for the bins, here and below.
  void add(std::span<const float> values, const Allowance& allowance = {});

  int64_t count() const { return count_; }
  float low() const { return low_; }
  float high() const { return high_; }
  // Numbers that are not finite.
  int64_t not_finite() const { return not_finite_; }
  float largest() const;  // magnitude

  // Of the finite numbers, and 0. `codes`: how many numbers can be told apart, for those methods that weigh what rounding costs.
  Range range(Method method, double percentile, int codes, bool symmetric) const;

 private:
  static constexpr int kBins = 4096;
  void widen(float magnitude, const Allowance& allowance);
  double middle_of(int bin) const { return (bin + 0.5 - kBins / 2.0) * width_; }
  Range by_percentile(double percentile) const;
  Range by_error(int codes, bool symmetric) const;
  Range by_entropy(int codes, bool symmetric) const;

  base::Charge charge_;
  std::vector<int64_t> bins_;
  double width_ = 0;
  int64_t count_ = 0, not_finite_ = 0;
  float low_ = 0, high_ = 0;
};

// Sums over the samples, by place along an axis.
struct ChannelSums {
  base::Charge charge;
  std::vector<double> sum, square;
  std::vector<float> largest;
  int64_t count = 0;  // of numbers at each place

  // `values` are `outer` times as many as there are channels, times `inner`.
  void add(std::span<const float> values, int64_t channels, int64_t inner, const Allowance& allowance = {});
};

// Sums over the samples of the products of any two places along an axis.
struct PairSums {
  int64_t size = 0, count = 0;
  base::Charge charge;
  std::vector<double> sums;  // the upper triangle of size * size

  double at(int64_t i, int64_t j) const { return sums[static_cast<size_t>(i * size + j)]; }  // i <= j
  // Throws kDeadline, too.
  void add(std::span<const float> values, int64_t channels, int64_t inner, const Allowance& allowance = {});
};

}  // namespace onnxrun::quantise
