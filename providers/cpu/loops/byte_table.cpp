// The choice of table look-ups at this machine's level.
#include "cpu/loops/byte_table.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                 \
  namespace simd::level {                                                      \
  void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n); \
  }
ONNXRUN_SIMD_FOR_EACH_INTEGER_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  ONNXRUN_SIMD_INTEGER_CALL(look_up, table, x, y, n)
}

}  // namespace onnxrun::cpu
