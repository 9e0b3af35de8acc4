// Choice of the row functions of this machine's level.
#include "cpu/loops/rows.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)         \
  namespace simd::level {              \
  const RowFunctions& row_functions(); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

const RowFunctions& row_functions() { ONNXRUN_SIMD_CALL(row_functions) }

}  // namespace onnxrun::cpu
