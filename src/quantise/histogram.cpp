// Counting numbers and choosing ranges.
#include "quantise/histogram.h"

#include <algorithm>
#include <cmath>

namespace onnxrun::quantise {
namespace {

constexpr int64_t kMostPairedPlaces = 4096;  // 128 MiB of sums

}  // namespace

void Histogram::widen(float magnitude, const Allowance& allowance) {
  if (width_ == 0) {
    charge_ = allowance.charge(kBins * static_cast<int64_t>(sizeof(int64_t)));
    bins_.assign(kBins, 0);
    width_ = std::max(static_cast<double>(magnitude), 1e-30) * 2 / kBins;
    return;
  }
  while (magnitude > width_ * (kBins / 2)) {
    std::vector<int64_t> wider(kBins, 0);
    for (int i = 0; i < kBins; ++i) wider[static_cast<size_t>(kBins / 4 + i / 2)] += bins_[static_cast<size_t>(i)];
    bins_ = std::move(wider);
    width_ *= 2;
  }
}

void Histogram::add(std::span<const float> values, const Allowance& allowance) {
  float low = 0, high = 0;
  int64_t finite = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
    ++finite;
  }
  not_finite_ += static_cast<int64_t>(values.size()) - finite;
  if (finite == 0) return;
  low_ = std::min(low_, low);
  high_ = std::max(high_, high);
  count_ += finite;
  widen(std::max(-low, high), allowance);
  const double inverse = 1 / width_;
  for (const float value : values)
    if (std::isfinite(value)) {
      const int bin = static_cast<int>(std::floor(value * inverse)) + kBins / 2;
      ++bins_[static_cast<size_t>(std::clamp(bin, 0, kBins - 1))];
    }
}

float Histogram::largest() const { return std::max(-low_, high_); }

Range Histogram::range(Method method, double percentile, int codes, bool symmetric) const {
  Range result{low_, high_};
  if (count_ > 0 && method != Method::kMinmax) {
    if (method == Method::kPercentile) result = by_percentile(percentile);
    if (method == Method::kMse) result = by_error(codes, symmetric);
    if (method == Method::kEntropy) result = by_entropy(codes, symmetric);
    result.low = std::max(std::min(result.low, 0.0f), low_);
    result.high = std::min(std::max(result.high, 0.0f), high_);
  }
  return result;
}

// As many as 1 - percentile beyond either end.
Range Histogram::by_percentile(double percentile) const {
  const double beyond = static_cast<double>(count_) * (1 - percentile / 100) / 2;
  Range result{low_, high_};
  double seen = 0;
  for (int i = 0; i < kBins; ++i) {
    seen += static_cast<double>(bins_[static_cast<size_t>(i)]);
    if (seen > beyond) {
      result.low = static_cast<float>((i - kBins / 2) * width_);
      break;
    }
  }
  seen = 0;
  for (int i = kBins - 1; i >= 0; --i) {
    seen += static_cast<double>(bins_[static_cast<size_t>(i)]);
    if (seen > beyond) {
      result.high = static_cast<float>((i + 1 - kBins / 2) * width_);
      break;
    }
  }
  return result;
}

// The range of the least squared error: a step's twelfth part within, the way to the end beyond.
Range Histogram::by_error(int codes, bool symmetric) const {
  const auto cost = [&](double low, double high) {
    const double step = (high - low) / (codes - 1), within = step * step / 12;
    double sum = 0;
    for (int i = 0; i < kBins; ++i) {
      const auto n = static_cast<double>(bins_[static_cast<size_t>(i)]);
      if (n == 0) continue;
      const double x = middle_of(i), beyond = x < low ? low - x : x > high ? x - high : 0;
      sum += n * (within + beyond * beyond);
    }
    return sum;
  };
  Range best{low_, high_};
  if (symmetric) best = {-largest(), largest()};
  double least = cost(best.low, best.high);
  constexpr int kSteps = 32;
  const auto offer = [&](double low, double high) {
    const double found = high > low ? cost(low, high) : HUGE_VAL;
    if (found < least) {
      least = found;
      best = {static_cast<float>(low), static_cast<float>(high)};
    }
  };
  if (symmetric) {
    for (int i = 1; i < 2 * kSteps; ++i) offer(-largest() * i / (2.0 * kSteps), largest() * i / (2.0 * kSteps));
    return best;
  }
  // One end after the other; a second round sees what the first did.
  for (int round = 0; round < 2; ++round) {
    const Range start = best;
    for (int i = 1; i < kSteps; ++i) offer(start.low, high_ * static_cast<double>(i) / kSteps);
    const double high = best.high;
    for (int i = 0; i < kSteps; ++i) offer(low_ * static_cast<double>(i) / kSteps, high);
  }
  return best;
}

// The range whose distribution, told in `codes` steps, has the least relative entropy against what was seen; what lies beyond counts at the ends.
Range Histogram::by_entropy(int codes, bool symmetric) const {
  const auto divergence = [&](int first, int last) {  // bins [first, last)
    const int length = last - first;
    double total = 0, apart = 0;
    std::vector<double> seen(static_cast<size_t>(length), 0.0);
    for (int i = 0; i < kBins; ++i) {
      const auto n = static_cast<double>(bins_[static_cast<size_t>(i)]);
      seen[static_cast<size_t>(std::clamp(i - first, 0, length - 1))] += n;
      total += n;
    }
    for (int code = 0; code < codes; ++code) {
      const int begin = static_cast<int>(int64_t{code} * length / codes),
                end = static_cast<int>(int64_t{code + 1} * length / codes);
      double within = 0;
      int filled = 0;
      for (int i = begin; i < end; ++i) {
        // Inside the range only what is really there spreads the code's weight.
        const auto n = static_cast<double>(bins_[static_cast<size_t>(first + i)]);
        within += n;
        filled += n > 0;
      }
      for (int i = begin; i < end; ++i) {
        const double p = seen[static_cast<size_t>(i)] / total;
        if (p == 0) continue;
        const double q = filled > 0 && bins_[static_cast<size_t>(first + i)] > 0 ? within / filled / total : 0;
        apart += p * std::log(p / std::max(q, 1e-12));
      }
    }
    return apart;
  };
  // Of values with a peak the least entropy would cut off what is rare and matters.
  constexpr double kMostBeyond = 1e-4;
  const auto beyond = [&](int first, int last) {
    int64_t inside = 0;
    for (int i = first; i < last; ++i) inside += bins_[static_cast<size_t>(i)];
    return 1 - static_cast<double>(inside) / static_cast<double>(count_);
  };
  const int zero = kBins / 2;
  const int low = std::clamp(static_cast<int>(std::floor(low_ / width_)) + zero, 0, zero),
            high = std::clamp(static_cast<int>(std::ceil(high_ / width_)) + zero, zero, kBins);
  const int most = std::max(zero - low, high - zero);
  Range best{low_, high_};
  double least = HUGE_VAL;
  const int step = std::max(most / 64, 1);
  for (int reach = most; reach > 0; reach -= step) {
    const int first = symmetric ? zero - reach : std::max(low, zero - reach),
              last = symmetric ? zero + reach : std::min(high, zero + reach);
    if (last - first < codes || beyond(first, last) > kMostBeyond) break;
    const double found = divergence(first, last);
    if (found < least) {
      least = found;
      best = {static_cast<float>((first - zero) * width_), static_cast<float>((last - zero) * width_)};
    }
  }
  return best;
}

void ChannelSums::add(std::span<const float> values, int64_t channels, int64_t inner, const Allowance& allowance) {
  if (channels <= 0 || inner <= 0) return;
  const auto size = static_cast<size_t>(channels);
  if (sum.size() != size) {
    if (!sum.empty()) return;  // of another size in each sample: nothing to be told by place
    charge = allowance.charge(channels * static_cast<int64_t>(2 * sizeof(double) + sizeof(float)));
    sum.assign(size, 0);
    square.assign(size, 0);
    largest.assign(size, 0);
  }
  const size_t outer = values.size() / (size * static_cast<size_t>(inner));
  const float* from = values.data();
  for (size_t o = 0; o < outer; ++o)
    for (size_t c = 0; c < size; ++c)
      for (int64_t i = 0; i < inner; ++i, ++from) {
        if (!std::isfinite(*from)) continue;
        sum[c] += *from;
        square[c] += static_cast<double>(*from) * *from;
        largest[c] = std::max(largest[c], std::abs(*from));
      }
  count += static_cast<int64_t>(outer) * inner;
}

void PairSums::add(std::span<const float> values, int64_t channels, int64_t inner, const Allowance& allowance) {
  if (channels <= 0 || inner <= 0 || channels > kMostPairedPlaces) return;
  if (size == 0) {
    charge = allowance.charge(channels * channels * static_cast<int64_t>(sizeof(double)));
    size = channels;
    sums.assign(static_cast<size_t>(channels * channels), 0);
  }
  if (size != channels) return;
  std::vector<float> place(static_cast<size_t>(channels));
  const auto outer = static_cast<int64_t>(values.size()) / (channels * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      allowance.check();
      bool finite = true;
      for (int64_t c = 0; c < channels; ++c) {
        place[static_cast<size_t>(c)] = values[static_cast<size_t>((o * channels + c) * inner + i)];
        finite = finite && std::isfinite(place[static_cast<size_t>(c)]);
      }
      if (!finite) continue;
      ++count;
      for (int64_t a = 0; a < channels; ++a) {
        const double factor = place[static_cast<size_t>(a)];
        if (factor == 0) continue;
        double* row = &sums[static_cast<size_t>(a * channels)];
        for (int64_t b = a; b < channels; ++b) row[b] += factor * place[static_cast<size_t>(b)];
      }
    }
}

}  // namespace onnxrun::quantise
