// The choice of convolutions on blocked channels at this machine's level.
#include "cpu/loops/block_convolution.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                    \
  namespace simd::level {                                         \
  const BlockConvolutionFunctions& block_convolution_functions(); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

const BlockConvolutionFunctions& block_convolution_functions() { ONNXRUN_SIMD_CALL(block_convolution_functions) }

}  // namespace onnxrun::cpu
