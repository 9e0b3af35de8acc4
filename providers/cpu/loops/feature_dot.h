// Products and distances of a row of features and a row of float32 parameters.
#pragma once

#include <cstdint>

#include "cpu/loops/rows.h"

namespace onnxrun::cpu {

inline double feature_dot(const float* x, const float* w, int64_t n) {
  return static_cast<double>(row_functions().dot(x, w, n));
}
inline double feature_distance(const float* x, const float* w, int64_t n) {
  return static_cast<double>(row_functions().distance(x, w, n));
}

// float64 features are multiplied and added in float64.
template <class F>
double feature_sum(int64_t n, F&& f) {
  double parts[4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int64_t p = 0; p < 4; ++p) parts[p] += f(i + p);
  for (; i < n; ++i) parts[0] += f(i);
  return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}
inline double feature_dot(const double* x, const float* w, int64_t n) {
  return feature_sum(n, [&](int64_t i) { return x[i] * static_cast<double>(w[i]); });
}
inline double feature_distance(const double* x, const float* w, int64_t n) {
  return feature_sum(n, [&](int64_t i) {
    const double d = x[i] - static_cast<double>(w[i]);
    return d * d;
  });
}

}  // namespace onnxrun::cpu
