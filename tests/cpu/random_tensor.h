// Tensors of random numbers, and how far from each other the results of two kernels may be.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/floats.h"
#include "base/tensor.h"

namespace onnxrun::cpu {

using base::Dims;
using base::DType;
using base::Tensor;

// From -1 to 1.
inline Tensor random(const Dims& dims, uint32_t seed) {
  Tensor tensor(DType::kFloat32, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    tensor.mutable_data<float>()[i] = static_cast<float>(seed >> 8) * 0x1p-23f - 1.0f;
  }
  return tensor;
}

// Each number as the bfloat16 next to it.
inline Tensor rounded(const Tensor& from) {
  Tensor to(DType::kFloat32, from.dims());
  for (int64_t i = 0; i < from.count(); ++i) to.mutable_data<float>()[i] = base::Bfloat16(from.data<float>()[i]);
  return to;
}

// Within a few rounding errors of a sum of `terms` products of numbers up to 1.
inline void expect_close(const Tensor& got, const Tensor& want, int64_t terms, const std::string& what) {
  ASSERT_EQ(got.dims(), want.dims()) << what;
  const float bound = 2e-7f * static_cast<float>(terms) + 1e-6f;
  for (int64_t i = 0; i < want.count(); ++i)
    ASSERT_LE(std::abs(got.data<float>()[i] - want.data<float>()[i]), bound) << what << " at element " << i;
}

}  // namespace onnxrun::cpu
