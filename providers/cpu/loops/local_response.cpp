// Choice of the loops of LRN of this machine's level.
#include "cpu/loops/local_response.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)           \
  namespace simd::level {                \
  const LocalResponse& local_response(); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

const LocalResponse& local_response() { ONNXRUN_SIMD_CALL(local_response) }

}  // namespace onnxrun::cpu
