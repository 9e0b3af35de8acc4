// Operations on one contiguous row of float32, built for every instruction set level: sums and maxima with small error on long rows, and
// the inner loops of softmax, of normalisation and of recurrent gates.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

struct RowFunctions {
  // Sum of the elements. Runs of 512 are added in float32 lanes, those in double: the error does not grow with the length.
  double (*sum)(const float* x, int64_t n);
  // Sum of (x - center)^2, the same way.
  double (*sum_squares)(const float* x, float center, int64_t n);
  // The largest element, -infinity for none; NaN when there is one.
  float (*max)(const float* x, int64_t n);
  // y = e^(x - shift); returns the sum of y. `y` may be `x`.
  double (*exp)(const float* x, float shift, float* y, int64_t n);
  // Sum of e^(x - shift).
  double (*exp_sum)(const float* x, float shift, int64_t n);
  // y = x * factor. `y` may be `x`.
  void (*scale)(const float* x, float factor, float* y, int64_t n);
  // y = (x - center) * factor * scale + bias; a null scale is 1, a null bias 0. `y` may be `x`.
  void (*normalize)(const float* x, float center, float factor, const float* scale, const float* bias, float* y,
                    int64_t n);
  // Sum of a * b in float32.
  float (*dot)(const float* a, const float* b, int64_t n);
  // Sum of (a - b)^2 in float32.
  float (*distance)(const float* a, const float* b, int64_t n);
  // y += x * factor.
  void (*add_scaled)(const float* x, float factor, float* y, int64_t n);
  // y = a * factor_a + b * factor_b.
  void (*blend)(const float* a, float factor_a, const float* b, float factor_b, float* y, int64_t n);
  // y[i] = x[low[i]] * factor_low[i] + x[high[i]] * factor_high[i].
  void (*gather_pairs)(const float* x, const int32_t* low, const int32_t* high, const float* factor_low,
                       const float* factor_high, float* y, int64_t n);
  // y, n elements of `lanes` floats: each blends those at from0[i] and from1[i] of row `a`, and the same of row `b`, by the weights
  // of the elements and of the rows. A weight of 0 takes nothing.
  void (*blend_lanes)(const float* a, float factor_a, const float* b, float factor_b, const int64_t* from0,
                      const float* weight0, const int64_t* from1, const float* weight1, int64_t lanes, float* y,
                      int64_t n);
  // y = 1 / (1 + e^-x), y = tanh(x). `y` may be `x`.
  void (*sigmoid)(const float* x, float* y, int64_t n);
  void (*tanh)(const float* x, float* y, int64_t n);
  // y = x * scale + shift clamped like `clamp`, of which both have `period` elements again and again: 8, or a multiple of 16. n is
  // a multiple of the period.
  void (*affine)(const float* x, const float* scale, const float* shift, int64_t period, float low, float high,
                 float* y, int64_t n);
  // y = x, but `low` below it and `high` above it; what is not a number stays. `y` may be `x`.
  void (*clamp)(const float* x, float low, float high, float* y, int64_t n);
  // y = e^x by the sum of all, and its logarithm; NaN where an element is one or infinite, or all are -infinity. `y` may be `x`.
  void (*softmax)(const float* x, float* y, int64_t n);
  void (*log_softmax)(const float* x, float* y, int64_t n);
};

// Those of this machine's level.
const RowFunctions& row_functions();

inline double row_sum(const float* x, int64_t n) { return row_functions().sum(x, n); }
inline double row_sum_squares(const float* x, float center, int64_t n) {
  return row_functions().sum_squares(x, center, n);
}
inline float row_max(const float* x, int64_t n) { return row_functions().max(x, n); }
inline double row_exp(const float* x, float shift, float* y, int64_t n) { return row_functions().exp(x, shift, y, n); }
inline double row_exp_sum(const float* x, float shift, int64_t n) { return row_functions().exp_sum(x, shift, n); }
inline void row_scale(const float* x, float factor, float* y, int64_t n) { row_functions().scale(x, factor, y, n); }
inline void row_normalize(const float* x, float center, float factor, const float* scale, const float* bias, float* y,
                          int64_t n) {
  row_functions().normalize(x, center, factor, scale, bias, y, n);
}

}  // namespace onnxrun::cpu
