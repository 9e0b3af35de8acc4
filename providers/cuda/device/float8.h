// Matrices of float8e4m3fn and float8e5m2 made ready for products, and what becomes of the sums.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// Lines along the depth, as cuBLASLt wants both operands: from[lines, depth], or turned from[depth, lines], to to[padded_lines, padded_depth], filled up
// with zeros. The padded depth is a multiple of 16, and `to` lies at one.
struct Float8Lines {
  int64_t lines = 0, depth = 0, padded_lines = 0, padded_depth = 0;
  bool turned = false;

  int64_t bytes() const { return padded_lines * padded_depth; }
  // Whether the operand can be multiplied where it lies.
  bool in_place() const { return !turned && lines == padded_lines && depth == padded_depth; }
};
void launch_float8_lines(const Queue& queue, const Float8Lines& how, const void* from, void* to);

enum class Float8Activation : uint8_t { kNone, kRelu, kGelu };

// y[row, column] = activation(sums[row, column] * a_scale * b_scale[column * b_step] + beta * c[row, column]) * y_scale. Scales that are null are 1.
struct Float8End {
  int64_t first = 0, rows = 0, columns = 0;  // of the result's rows, those from `first` on
  int64_t sums_row = 0;                      // from one row of sums to the next
  const float *a_scale = nullptr, *b_scale = nullptr, *y_scale = nullptr;
  int64_t b_step = 0;
  const void* c = nullptr;  // float32, float16 or bfloat16, or null
  base::DType c_type = base::DType::kFloat32;
  Axes<1> c_walk;  // over the whole result
  float beta = 1;
  Float8Activation activation = Float8Activation::kNone;
};
// `y` is the whole result: float32 (then perhaps `sums` itself, row by row), float16, bfloat16, or one of float8, whose values saturate.
void launch_float8_end(const Queue& queue, const Float8End& how, const float* sums, base::DType y_type, void* y);

}  // namespace onnxrun::cuda
