// The product with panels of float32 at one instruction set level.
#include "panel_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc);

namespace {

struct Floats {
  using Operand = Vector;
  static Vector load(const float* from) { return simd::ONNXRUN_SIMD_NAMESPACE::load(from); }
  static Vector splat(float value) { return simd::ONNXRUN_SIMD_NAMESPACE::splat(value); }
  static Vector add_products(Vector a, Vector b, Vector sum) { return madd(a, b, sum); }
};

}  // namespace

void multiply_panels(const float* a, int64_t lda, const float* packed, int64_t m, int64_t k, int64_t n, bool add,
                     float* c, int64_t ldc) {
  multiply<Floats>(a, lda, packed, m, k, n, add, c, ldc);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
