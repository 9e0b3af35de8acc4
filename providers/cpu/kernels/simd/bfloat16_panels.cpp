// The product with panels of pairs of bfloat16 at the levels that multiply them in one instruction.
#include <immintrin.h>

#include <bit>

#include "panel_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, int64_t n,
                     bool add, float* c, int64_t ldc);

namespace {

// The products are exact; both are added to the sum with one rounding each, denormal numbers as zeros.
struct Pairs {
  using Operand = __m512bh;
  static __m512bh load(const Bfloat16Pair* from) { return (__m512bh)_mm512_loadu_si512(from); }
  static __m512bh splat(Bfloat16Pair value) { return (__m512bh)_mm512_set1_epi32(std::bit_cast<int32_t>(value)); }
  static Vector add_products(__m512bh a, __m512bh b, Vector sum) { return (Vector)_mm512_dpbf16_ps((__m512)sum, a, b); }
};

}  // namespace

void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, int64_t n,
                     bool add, float* c, int64_t ldc) {
  multiply<Pairs>(a, lda, packed, m, k, n, add, c, ldc);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
