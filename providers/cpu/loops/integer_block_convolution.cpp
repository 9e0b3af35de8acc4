// The choice of 8-bit convolutions on blocked channels at this machine's level.
#include "cpu/loops/integer_block_convolution.h"

#include "cpu/simd_level.h"

namespace onnxrun::cpu {

#if defined(__x86_64__)
namespace simd::v3 {
const IntegerBlockConvolutionFunctions& integer_block_convolution_functions();
}
namespace simd::v4 {
const IntegerBlockConvolutionFunctions& integer_block_convolution_functions();
}
namespace simd::vnni {
const IntegerBlockConvolutionFunctions& integer_block_convolution_functions();
}
#endif

const IntegerBlockConvolutionFunctions& integer_block_convolution_functions() {
#if defined(__x86_64__)
  if (simd_level() >= SimdLevel::kVnni) return simd::vnni::integer_block_convolution_functions();
  if (simd_level() == SimdLevel::kV4) return simd::v4::integer_block_convolution_functions();
  if (simd_level() == SimdLevel::kV3) return simd::v3::integer_block_convolution_functions();
#endif
  static constexpr IntegerBlockConvolutionFunctions kNone{};
  return kNone;
}

}  // namespace onnxrun::cpu
