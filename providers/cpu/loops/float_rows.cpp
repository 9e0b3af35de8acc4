// Choosing the float32 row kernels of the level in use.
#include "cpu/kernels/simd/float_rows.h"

#include "cpu/simd_level.h"

namespace onnxrun::cpu::simd {

RowKernel float_row(std::string_view op) {
  switch (simd_level()) {
#if defined(__x86_64__)
    case SimdLevel::kSpr: return spr::float_row(op);
    case SimdLevel::kV4: return v4::float_row(op);
    case SimdLevel::kV3: return v3::float_row(op);
    default: return v2::float_row(op);
#else
    default: return generic::float_row(op);
#endif
  }
}

}  // namespace onnxrun::cpu::simd
