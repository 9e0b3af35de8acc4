// Products and convolutions of 8-bit integers, exact in int32.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// A scale or zero point: one for all, or one a line.
struct PerLine {
  const void* data = nullptr;  // null: zeros
  int64_t step = 0;            // from one line to the next: 0 or 1
};

// How sums become results: as they are, sum * a_scale * b_scale + bias, or sum * a_scale * b_scale / y_scale, rounded, plus y_zero, saturated.
struct Requantization {
  PerLine a_scale, b_scale;     // float32, float16 or bfloat16
  const float* bias = nullptr;  // of each column, or null
  const void* y_scale = nullptr;
  const void* y_zero = nullptr;
  base::DType scale_type = base::DType::kFloat32;
};

// y[m, n] of (a - a_zero) (b - b_zero), row-major. The zero points are of their operand's type, a's a row, b's a column.
struct IntegerProduct {
  int64_t m = 0, n = 0, k = 0;
  PerLine a_zero, b_zero;
  Requantization ends;
};
// a and b int8 or uint8; y int32, float32, or int8 or uint8 by the requantisation. Null otherwise.
using IntegerProductLaunch = void (*)(const Queue& queue, const IntegerProduct& how, const void* a, const void* b,
                                      void* y);
IntegerProductLaunch find_integer_product(base::DType a, base::DType b, base::DType y);

// Over up to three spatial axes; those that are not there have size 1. The zero points of w are one a filter, b_scale too.
struct IntegerConvolution {
  int64_t batch = 0, channels = 0, filters = 0, groups = 1;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t strides[3] = {1, 1, 1}, dilations[3] = {1, 1, 1}, begin[3] = {0, 0, 0};
  PerLine x_zero, w_zero;
  const int32_t* bias = nullptr;
  Requantization ends;
};
using IntegerConvolutionLaunch = void (*)(const Queue& queue, const IntegerConvolution& how, const void* x,
                                          const void* w, void* y);
IntegerConvolutionLaunch find_integer_convolution(base::DType x, base::DType w, base::DType y);

}  // namespace onnxrun::cuda
