// The product with panels of pairs of bfloat16 at the levels that multiply them in one instruction.
#include "amx_tiles.h"
#include "bfloat16_pairs.h"
#include "panel_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, int64_t n,
                     bool add, float* c, int64_t ldc);

void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, int64_t n,
                     bool add, float* c, int64_t ldc) {
#if ONNXRUN_SIMD_LEVEL >= 5
  // Tiles add in another order than vectors do, so that they take products of any number of rows: results do not depend on how rows are divided.
  const TileOperands operands{reinterpret_cast<const char*>(a),
                              4 * lda,
                              reinterpret_cast<const char*>(packed),
                              k,
                              add,
                              reinterpret_cast<char*>(c),
                              4 * ldc,
                              n};
  TileProduct<AmxTiles<TileElements::kBfloat16>>(operands).run(m);
#else
  multiply<Pairs>(a, lda, packed, m, k, n, add, c, ldc);
#endif
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
