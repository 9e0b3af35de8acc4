// The product with panels of pairs of bfloat16 at the levels that multiply them in one instruction.
#include "bfloat16_pairs.h"
#include "panel_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, int64_t n,
                     bool add, float* c, int64_t ldc);

void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, int64_t n,
                     bool add, float* c, int64_t ldc) {
  multiply<Pairs>(a, lda, packed, m, k, n, add, c, ldc);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
