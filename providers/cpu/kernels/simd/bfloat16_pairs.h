// Arithmetic on vectors of pairs of bfloat16, for the levels that multiply them in one instruction.
#pragma once

#include <bit>

#include "cpu/loops/panels.h"
#include "intrinsics.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

// The products are exact; both are added to the sum with one rounding each, denormal numbers as zeros.
struct Pairs {
  using Element = Bfloat16Pair;
  using Operand = __m512bh;
  static constexpr int64_t kChannels = 2;
  static __m512bh load(const Bfloat16Pair* from) { return (__m512bh)_mm512_loadu_si512(from); }
  static __m512bh splat(Bfloat16Pair value) { return (__m512bh)_mm512_set1_epi32(std::bit_cast<int32_t>(value)); }
  static Vector add_products(__m512bh a, __m512bh b, Vector sum) { return (Vector)_mm512_dpbf16_ps((__m512)sum, a, b); }
};

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
