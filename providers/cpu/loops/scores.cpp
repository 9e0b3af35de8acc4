// Post transforms of ai.onnx.ml.
#include "cpu/loops/scores.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace onnxrun::cpu {
namespace {

template <class T>
T logistic(T x) {
  const T e = std::exp(-std::abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

template <class T>
void softmax(T* scores, int64_t count) {
  const T shift = *std::max_element(scores, scores + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(scores[i] = std::exp(scores[i] - shift));
  for (int64_t i = 0; i < count; ++i) scores[i] = static_cast<T>(static_cast<double>(scores[i]) / sum);
}

template <class T>
void softmax_zero(T* scores, int64_t count) {
  const T shift = *std::max_element(scores, scores + count);
  const T small = std::exp(-shift);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    scores[i] = std::abs(scores[i]) > T(1e-7) ? std::exp(scores[i] - shift) : scores[i] * small;
    sum += static_cast<double>(scores[i]);
  }
  for (int64_t i = 0; i < count; ++i)
    scores[i] = sum == 0 ? T(0.5) : static_cast<T>(static_cast<double>(scores[i]) / sum);
}

// The quantile of the normal distribution by Winitzki's approximation of the inverse error function.
double probit(double p) {
  constexpr double kA = 0.147;
  const double x = 2 * p - 1;
  const double log = std::log((1 - x) * (1 + x));
  const double half = 2 / (std::numbers::pi * kA) + 0.5 * log;
  const double erf_inv = std::sqrt(std::sqrt(half * half - log / kA) - half);
  return std::numbers::sqrt2 * std::copysign(erf_inv, x);
}

template <class T>
void transform(ops::PostTransform kind, T* scores, int64_t count) {
  if (count <= 0) return;
  switch (kind) {
    case ops::PostTransform::kNone: return;
    case ops::PostTransform::kSoftmax: return softmax(scores, count);
    case ops::PostTransform::kSoftmaxZero: return softmax_zero(scores, count);
    case ops::PostTransform::kLogistic:
      for (int64_t i = 0; i < count; ++i) scores[i] = logistic(scores[i]);
      return;
    case ops::PostTransform::kProbit:
      for (int64_t i = 0; i < count; ++i) scores[i] = static_cast<T>(probit(static_cast<double>(scores[i])));
      return;
  }
}

}  // namespace

void transform_scores(ops::PostTransform kind, float* scores, int64_t count) { transform(kind, scores, count); }
void transform_scores(ops::PostTransform kind, double* scores, int64_t count) { transform(kind, scores, count); }

}  // namespace onnxrun::cpu
