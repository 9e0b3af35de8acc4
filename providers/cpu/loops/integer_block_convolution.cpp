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
namespace simd::spr {
const IntegerBlockConvolutionFunctions& integer_tile_convolution_functions();
}  // namespace simd::spr
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

const IntegerBlockConvolutionFunctions& integer_block_convolution_functions([[maybe_unused]] bool plain,
                                                                            [[maybe_unused]] int64_t groups,
                                                                            [[maybe_unused]] int64_t group_channels) {
#if defined(__x86_64__)
  if (simd_level() == SimdLevel::kSpr && !plain) {
    const IntegerBlockConvolutionFunctions& tiles = simd::spr::integer_tile_convolution_functions();
    if (groups == 1 || group_channels % tiles.position == 0) return tiles;
  }
#endif
  return integer_block_convolution_functions();
}

}  // namespace onnxrun::cpu
