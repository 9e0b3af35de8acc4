// Choice of the accumulators of this machine's level.
#include "cpu/loops/reduce_kernel.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                              \
  namespace simd::level {                                                   \
  const ReduceKernel* reduce_kernel(Reduction reduction, base::DType type); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

const ReduceKernel* reduce_kernel(Reduction reduction, base::DType type) {
  ONNXRUN_SIMD_CALL(reduce_kernel, reduction, type)
}

}  // namespace onnxrun::cpu
