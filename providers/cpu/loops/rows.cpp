// Operations on one contiguous row of float32.
#include "cpu/loops/rows.h"

#include <algorithm>
#include <limits>

#include "cpu/loops/vector_math.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kRun = 512;  // elements added in float32 before the sum goes to double

// Sum of f(i) for i in [0, n), n <= kRun.
template <class F>
float sum_run(int64_t n, F&& f) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += f(i + l);
  for (int64_t l = 0; i < n; ++i, ++l) lanes[l] += f(i);
  for (int64_t width = kLanes / 2; width > 0; width /= 2)
    for (int64_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  return lanes[0];
}

template <class F>
double sum_all(int64_t n, F&& f) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kRun)
    total += static_cast<double>(sum_run(std::min(kRun, n - begin), [&](int64_t i) { return f(begin + i); }));
  return total;
}

}  // namespace

double row_sum(const float* x, int64_t n) {
  return sum_all(n, [=](int64_t i) { return x[i]; });
}

double row_sum_squares(const float* x, float center, int64_t n) {
  return sum_all(n, [=](int64_t i) { return (x[i] - center) * (x[i] - center); });
}

double row_dot(const float* a, const float* b, int64_t n) {
  return sum_all(n, [=](int64_t i) { return a[i] * b[i]; });
}

float row_max(const float* x, int64_t n) {
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, -std::numeric_limits<float>::infinity());
  const auto larger = [](float a, float b) { return (a > b) | (a != a) ? a : b; };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = larger(lanes[l], x[i + l]);
  for (; i < n; ++i) lanes[0] = larger(lanes[0], x[i]);
  for (int64_t l = 1; l < kLanes; ++l) lanes[0] = larger(lanes[0], lanes[l]);
  return lanes[0];
}

double row_exp(const float* x, float shift, float* y, int64_t n) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kRun) {
    const int64_t count = std::min(kRun, n - begin);
    const float* from = x + begin;
    float* to = y + begin;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) to[i] = fast_exp(from[i] - shift);
    total += static_cast<double>(sum_run(count, [=](int64_t i) { return to[i]; }));
  }
  return total;
}

double row_exp_sum(const float* x, float shift, int64_t n) {
  return sum_all(n, [=](int64_t i) { return fast_exp(x[i] - shift); });
}

void row_scale(const float* x, float factor, float* y, int64_t n) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
}

void row_normalize(const float* x, float center, float factor, const float* scale, const float* bias, float* y, int64_t n) {
  if (scale != nullptr && bias != nullptr) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - center) * factor * scale[i] + bias[i];
  } else if (scale != nullptr) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - center) * factor * scale[i];
  } else {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - center) * factor + (bias != nullptr ? bias[i] : 0.0f);
  }
}

}  // namespace onnxrun::cpu
