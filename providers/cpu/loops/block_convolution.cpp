// The choice of convolutions on blocked channels at this machine's level.
#include "cpu/loops/block_convolution.h"

#include "cpu/simd_level.h"

namespace onnxrun::cpu {

#if defined(__x86_64__)
namespace simd::v3 {
const BlockConvolutionFunctions<float>& block_convolution_functions();
}
namespace simd::v4 {
const BlockConvolutionFunctions<float>& block_convolution_functions();
}
namespace simd::bf16 {
const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions();
}
namespace simd::spr {
const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions();
}  // namespace simd::spr
#endif

template <>
const BlockConvolutionFunctions<float>& block_convolution_functions() {
#if defined(__x86_64__)
  if (simd_level() >= SimdLevel::kV4) return simd::v4::block_convolution_functions();
  if (simd_level() == SimdLevel::kV3) return simd::v3::block_convolution_functions();
#endif
  static constexpr BlockConvolutionFunctions<float> kNone{};
  return kNone;
}

template <>
const BlockConvolutionFunctions<Bfloat16Pair>& block_convolution_functions() {
#if defined(__x86_64__)
  if (simd_level() == SimdLevel::kSpr) return simd::spr::pair_convolution_functions();
  if (multiplies_pairs()) return simd::bf16::pair_convolution_functions();
#endif
  static constexpr BlockConvolutionFunctions<Bfloat16Pair> kNone{};
  return kNone;
}

}  // namespace onnxrun::cpu
