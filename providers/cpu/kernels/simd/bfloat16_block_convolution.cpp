// Convolutions of pairs of bfloat16 on blocked channels at the level that multiplies them in one instruction; the level spr uses these as well.
#if ONNXRUN_SIMD_LEVEL == 4

#include "bfloat16_pairs.h"
#include "block_convolution_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions();

namespace {

// Whole blocks. Not a number stays that; denormal numbers become zeros, which they are to the products as well.
void round(const float* from, Bfloat16Pair* to, int64_t count) {
  for (int64_t i = 0; i < count; i += kBlock, to += kSteps<Pairs>)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from + i)));
}

}  // namespace

const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions() {
  static constexpr BlockConvolutionFunctions<Bfloat16Pair> kFunctions{kBlock, takes_width<Pairs>, kMostColumns,
                                                                      run<Pairs>, round};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
