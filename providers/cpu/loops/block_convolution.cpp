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
  static constexpr BlockConvolutionFunctions kNone{};
  switch (simd_level()) {
#if defined(__x86_64__)
    case SimdLevel::kSpr:
    case SimdLevel::kV4: return simd::v4::block_convolution_functions();
    case SimdLevel::kV3: return simd::v3::block_convolution_functions();
#endif
    default: return kNone;
  }
}

}  // namespace onnxrun::cpu
