// Running figures and a reservoir sample of a tensor's elements.
#include "api/tensor_summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/doubles.h"

namespace onnxrun::api {

using base::DType;

double Moments::deviation() const { return finite() > 1 ? std::sqrt(squares / static_cast<double>(finite() - 1)) : 0; }

// Means and squared distances of two sets joined, after Chan, Golub and LeVeque (1979).
void Moments::add(const Moments& other) {
  if (other.elements == 0) return;
  const auto n = static_cast<double>(finite()), m = static_cast<double>(other.finite());
  if (other.elements > other.nan) {
    const bool first = elements == nan;
    min = first ? other.min : std::min(min, other.min);
    max = first ? other.max : std::max(max, other.max);
  }
  if (m > 0) {
    const double distance = other.mean - mean;
    mean += distance * m / (n + m);
    squares += other.squares + distance * distance * n * m / (n + m);
  }
  elements += other.elements;
  nan += other.nan;
  infinite += other.infinite;
}

namespace {

template <class T>
Moments figures(std::span<const T> numbers) {
  Moments result;
  result.elements = static_cast<int64_t>(numbers.size());
  T low = std::numeric_limits<T>::infinity(), high = -low;
  double sum = 0;
  for (const T x : numbers) {
    low = x < low ? x : low;
    high = x > high ? x : high;
    sum += static_cast<double>(x);
  }
  // Only then is there an element that is not finite.
  if (!std::isfinite(sum)) {
    sum = 0;
    for (const T x : numbers) {
      if (std::isfinite(x)) sum += static_cast<double>(x);
      else ++(std::isnan(x) ? result.nan : result.infinite);
    }
  }
  if (result.elements > result.nan) {
    result.min = static_cast<double>(low);
    result.max = static_cast<double>(high);
  }
  if (result.finite() == 0) return result;
  result.mean = sum / static_cast<double>(result.finite());
  const bool all = result.finite() == result.elements;
  for (const T x : numbers)
    if (all || std::isfinite(x)) {
      const double distance = static_cast<double>(x) - result.mean;
      result.squares += distance * distance;
    }
  return result;
}

}  // namespace

Moments moments_of(std::span<const double> numbers) { return figures(numbers); }
Moments moments_of(std::span<const float> numbers) { return figures(numbers); }

double TensorSummary::random() {
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
}

// How many elements go by before the next is taken: Li (1994), algorithm L.
void TensorSummary::skip() {
  weight_ *= std::exp(std::log(random()) / static_cast<double>(capacity_));
  const double step = std::floor(std::log(random()) / std::log1p(-weight_)) + 1;
  constexpr double kFar = 9e15;
  next_ += step < kFar ? static_cast<int64_t>(step) : static_cast<int64_t>(kFar);
}

template <class T>
void TensorSummary::keep_some(std::span<const T> numbers) {
  const auto count = static_cast<int64_t>(numbers.size());
  if (capacity_ == 0) return;
  while (next_ < seen_ + count) {
    const auto number = static_cast<float>(numbers[static_cast<size_t>(next_ - seen_)]);
    if (sample_.size() < capacity_) {
      sample_.push_back(number);
      if (sample_.size() < capacity_) {
        ++next_;
        continue;
      }
    } else {
      sample_[static_cast<size_t>(random() * static_cast<double>(capacity_))] = number;
    }
    skip();
  }
  seen_ += count;
}

template <class T>
void TensorSummary::add_numbers(std::span<const T> numbers) {
  const Moments own = moments_of(numbers);
  const std::lock_guard lock(mutex_);
  moments_.add(own);
  keep_some(numbers);
}

void TensorSummary::add(const base::Value& value) {
  {
    const std::lock_guard lock(mutex_);
    ++runs_;
  }
  const DType dtype = value.is_tensor() ? value.tensor().dtype() : DType::kString;
  if (dtype == DType::kString || base::is_complex(dtype) || value.tensor().memory() != 0) return;
  const base::Tensor& tensor = value.tensor();
  const auto count = static_cast<size_t>(tensor.count());
  if (dtype == DType::kFloat32)
    return add_numbers(std::span<const float>(static_cast<const float*>(tensor.raw()), count));
  each_double(tensor, [&](std::span<const double> numbers) { add_numbers(numbers); });
}

TensorSummary::Snapshot TensorSummary::snapshot() const {
  const std::lock_guard lock(mutex_);
  return {runs_, moments_, sample_};
}

}  // namespace onnxrun::api
