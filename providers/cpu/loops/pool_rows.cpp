// Choice of the pools' rows of this machine's level.
#include "cpu/loops/pool_rows.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                  \
  namespace simd::level {                       \
  void max_pool_rows(const PoolRows& rows);     \
  void average_pool_rows(const PoolRows& rows); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

void max_pool_rows(const PoolRows& rows) { ONNXRUN_SIMD_CALL(max_pool_rows, rows); }
void average_pool_rows(const PoolRows& rows) { ONNXRUN_SIMD_CALL(average_pool_rows, rows); }

}  // namespace onnxrun::cpu
