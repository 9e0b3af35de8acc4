// Operations on one contiguous row of float32: sums and maxima with small error on long rows, and the inner loops of softmax and of normalisation.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// Sum of the elements. Short runs are added in float32 lanes, those in double: the error does not grow with the length.
double row_sum(const float* x, int64_t n);

// Sum of (x - center)^2, the same way.
double row_sum_squares(const float* x, float center, int64_t n);

// Sum of a * b, the same way.
double row_dot(const float* a, const float* b, int64_t n);

// The largest element, -infinity for none; NaN when there is one.
float row_max(const float* x, int64_t n);

// y = e^(x - shift); returns the sum of y. `y` may be `x`.
double row_exp(const float* x, float shift, float* y, int64_t n);

// Sum of e^(x - shift).
double row_exp_sum(const float* x, float shift, int64_t n);

// y = x * factor. `y` may be `x`.
void row_scale(const float* x, float factor, float* y, int64_t n);

// y = (x - center) * factor * scale + bias; a null scale is 1, a null bias 0. `y` may be `x`.
void row_normalize(const float* x, float center, float factor, const float* scale, const float* bias, float* y, int64_t n);

}  // namespace onnxrun::cpu
