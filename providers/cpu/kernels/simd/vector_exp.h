// e^x of a register of float32 at the level that is compiled; bit for bit that of float_math.h.
#pragma once

#include <initializer_list>

#include "cpu/kernels/simd/float_math.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

inline Vector exp_of(Vector x) {
#if ONNXRUN_SIMD_LEVEL >= 4
  // As float_math.h's, with the scaling by 2^n in one instruction.
  // Of two operands the second is the result where one is NaN.
  const Vector inside = (Vector)_mm512_maskz_min_ps(0xffff, (__m512)splat(89.0f),
                                                    _mm512_maskz_max_ps(0xffff, (__m512)splat(-104.0f), (__m512)x));
  const Vector magic = splat(12582912.0f), n = madd(inside, splat(1.44269504088896341f), magic) - magic;
  const Vector r = madd(n, splat(-1.42860677e-06f), madd(n, splat(-0.693145751953125f), inside));
  Vector p = madd(splat(0x1.a1b120p-13f), r, splat(0x1.6d8298p-10f));
  for (const float c : {0x1.111084p-7f, 0x1.5554a0p-5f, 0x1.555556p-3f, 0x1p-1f}) p = madd(p, r, splat(c));
  return (Vector)_mm512_maskz_scalef_ps(static_cast<__mmask16>(-1), (__m512)(madd(r * r, p, r) + splat(1.0f)),
                                        (__m512)n);
#else
  return each_lane(x, [](float v) { return exp(v); });
#endif
}

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
