// The arithmetic of convolutions on blocked channels in float32.
#pragma once

#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

struct Floats {
  using Element = float;
  using Operand = Vector;
  static constexpr int64_t kChannels = 1;
  static Vector load(const float* from) { return simd::ONNXRUN_SIMD_NAMESPACE::load(from); }
  static Vector splat(float value) { return simd::ONNXRUN_SIMD_NAMESPACE::splat(value); }
  static Vector add_products(Vector a, Vector b, Vector sum) { return madd(a, b, sum); }
};

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
