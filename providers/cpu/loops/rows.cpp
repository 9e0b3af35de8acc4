// Choice of the row functions of this machine's level.
#include "cpu/loops/rows.h"

#include "cpu/simd_level.h"
#include "simd_levels.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)         \
  namespace simd::level {              \
  const RowFunctions& row_functions(); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

const RowFunctions& row_functions() {
  switch (simd_level()) {
#if defined(__x86_64__)
    case SimdLevel::kSpr: return simd::spr::row_functions();
    case SimdLevel::kV4: return simd::v4::row_functions();
    case SimdLevel::kV3: return simd::v3::row_functions();
    default: return simd::v2::row_functions();
#else
    default: return simd::generic::row_functions();
#endif
  }
}

}  // namespace onnxrun::cpu
