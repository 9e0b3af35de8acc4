// The choice of Winograd's transforms at this machine's level.
#include "cpu/loops/winograd.h"

#include "cpu/simd_level.h"

namespace onnxrun::cpu {

#if defined(__x86_64__)
namespace simd::v3 {
const WinogradFunctions& winograd_functions();
}
namespace simd::v4 {
const WinogradFunctions& winograd_functions();
}
#endif

const WinogradFunctions& winograd_functions() {
#if defined(__x86_64__)
  if (simd_level() >= SimdLevel::kV4) return simd::v4::winograd_functions();
  if (simd_level() == SimdLevel::kV3) return simd::v3::winograd_functions();
#endif
  static constexpr WinogradFunctions kNone{};
  return kNone;
}

}  // namespace onnxrun::cpu
