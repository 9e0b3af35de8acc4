// The choice of the quantised rows at this machine's level.
#include "cpu/loops/quantized_rows.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                   \
  namespace simd::level {                        \
  const QuantizedRowFunctions& quantized_rows(); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

const QuantizedRowFunctions& quantized_rows() { ONNXRUN_SIMD_CALL(quantized_rows) }

}  // namespace onnxrun::cpu
