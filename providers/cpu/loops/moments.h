// Mean and variance of runs of elements, in two passes with partial sums in double.
#pragma once

#include <algorithm>
#include <cstdint>

namespace onnxrun::cpu {

struct Moments {
  double mean = 0, variance = 0;  // of the population
};

inline Moments moments(const double* x, int64_t count) {
  double part[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int64_t l = 0; l < 8; ++l) part[l] += x[i + l];
  for (; i < count; ++i) part[0] += x[i];
  for (int64_t l = 1; l < 8; ++l) part[0] += part[l];
  const double mean = part[0] / static_cast<double>(count);
  std::fill_n(part, 8, 0.0);
  for (i = 0; i + 8 <= count; i += 8)
    for (int64_t l = 0; l < 8; ++l) {
      const double d = x[i + l] - mean;
      part[l] += d * d;
    }
  for (; i < count; ++i) part[0] += (x[i] - mean) * (x[i] - mean);
  for (int64_t l = 1; l < 8; ++l) part[0] += part[l];
  return {mean, part[0] / static_cast<double>(count)};
}

}  // namespace onnxrun::cpu
