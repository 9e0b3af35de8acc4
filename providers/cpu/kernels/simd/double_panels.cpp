// The product with panels of float64 at one instruction set level.
#include "panel_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_panels(const double* a, int64_t lda, const double* packed, int64_t m, int64_t k, int64_t n, bool add,
                     double* c, int64_t ldc);

namespace {

struct Doubles {
  typedef double Operand __attribute__((vector_size(kVectorBytes)));
  static Operand load(const double* from) {
    Operand result;
    std::memcpy(&result, from, sizeof result);
    return result;
  }
  static Operand splat(double value) { return Operand{} + value; }
  static Operand add_products(Operand a, Operand b, Operand sum) {
#if ONNXRUN_SIMD_LEVEL >= 4
    return (Operand)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum);
#elif ONNXRUN_SIMD_LEVEL == 3
    return (Operand)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
#else
    return a * b + sum;
#endif
  }
};

}  // namespace

void multiply_panels(const double* a, int64_t lda, const double* packed, int64_t m, int64_t k, int64_t n, bool add,
                     double* c, int64_t ldc) {
  multiply<Doubles>(a, lda, packed, m, k, n, add, c, ldc);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
