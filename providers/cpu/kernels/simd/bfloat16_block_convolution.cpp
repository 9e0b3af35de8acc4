// Convolutions of pairs of bfloat16 on blocked channels at the level that multiplies them in one instruction.
#if ONNXRUN_SIMD_LEVEL == 4

#include "bfloat16_pairs.h"
#include "block_convolution_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions();

namespace {

// Whole blocks. Not a number stays that; denormal numbers become zeros, which they are to the products as well.
void round(const float* const* blocks, Bfloat16Pair* to, int64_t count) {
  const float* from = blocks[0];
  for (int64_t i = 0; i < count; ++i, from += kBlock, to += kSteps<Pairs>)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from)));
}

// The low halves of 16 words.
__m512i words(const float* from, __mmask16 lanes) {
  return from == nullptr ? _mm512_setzero_si512()
                         : _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, from)));
}

void round_plain(const float* const* channels, Bfloat16Pair* to, int64_t count) {
  const auto at = [&](int c, int64_t i) { return channels[c] == nullptr ? nullptr : channels[c] + i; };
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  for (int64_t i = 0; i < count; i += 16) {
    const int64_t left = count - i;
    const auto lanes = static_cast<__mmask16>(left >= 16 ? 0xffff : (1 << left) - 1);
    const __m512i first = words(at(0, i), lanes) | _mm512_slli_epi32(words(at(1, i), lanes), 16);
    const __m512i second = words(at(2, i), lanes) | _mm512_slli_epi32(words(at(3, i), lanes), 16);
    const auto part = [&](int64_t begin) {
      return static_cast<__mmask16>(left >= begin + 8 ? 0xffff : left <= begin ? 0 : (1 << 2 * (left - begin)) - 1);
    };
    _mm512_mask_storeu_epi32(to + 2 * i, part(0), _mm512_permutex2var_epi32(first, low, second));
    _mm512_mask_storeu_epi32(to + 2 * i + 16, part(8), _mm512_permutex2var_epi32(first, high, second));
  }
}

}  // namespace

const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions() {
  static constexpr BlockConvolutionFunctions<Bfloat16Pair> kFunctions{.block = kBlock,
                                                                      .takes_width = takes_width<Pairs>,
                                                                      .most_columns = kMostColumns,
                                                                      .run = run<Pairs>,
                                                                      .round = round,
                                                                      .round_plain = round_plain};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
