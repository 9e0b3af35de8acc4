// Convolutions of float32 on blocked channels at one instruction set level: v3 for blocks of 8 channels, v4 for 16.
#if ONNXRUN_SIMD_LEVEL == 3 || ONNXRUN_SIMD_LEVEL == 4

#include "block_convolution_tile.h"
#include "block_floats.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const BlockConvolutionFunctions<float>& block_convolution_functions();

const BlockConvolutionFunctions<float>& block_convolution_functions() {
  static constexpr BlockConvolutionFunctions<float> kFunctions{.block = kBlock,
                                                               .takes_width = takes_width<Floats>,
                                                               .most_columns = kMostColumns,
                                                               .gathered_blocks = kGathers<Floats> ? 16 : 0,
                                                               .run = run<Floats>};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
