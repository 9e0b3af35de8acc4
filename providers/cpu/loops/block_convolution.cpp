// The choice of convolutions on blocked channels at this machine's level.
#include "cpu/loops/block_convolution.h"

#include "cpu/simd_level.h"

namespace onnxrun::cpu {

#if defined(__x86_64__)
namespace simd::v3 {
const BlockConvolutionFunctions& block_convolution_functions();
}
namespace simd::v4 {
const BlockConvolutionFunctions& block_convolution_functions();
}
#endif

const BlockConvolutionFunctions& block_convolution_functions() {
#if defined(__x86_64__)
  if (simd_level() >= SimdLevel::kV4) return simd::v4::block_convolution_functions();
  if (simd_level() == SimdLevel::kV3) return simd::v3::block_convolution_functions();
#endif
  static constexpr BlockConvolutionFunctions kNone{};
  return kNone;
}

}  // namespace onnxrun::cpu
