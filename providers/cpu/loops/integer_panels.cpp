// Packing of 8-bit panels, and the choice of their product at this machine's level.
#include "cpu/loops/integer_panels.h"

#include <algorithm>
#include <cstring>

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                                                       \
  namespace simd::level {                                                                                            \
  void interleave_rows(const uint8_t* const rows[4], uint8_t flip, int8_t* to, int32_t* sums);                       \
  void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n, \
                               int32_t* c, int64_t ldc);                                                             \
  }
ONNXRUN_SIMD_FOR_EACH_INTEGER_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

namespace {

// Four rows of kPanel bytes, xored with `flip`, as one group of a panel; adds the bytes, as signed numbers, to sums[column].
void interleave_rows(const uint8_t* const rows[4], uint8_t flip, int8_t* to, int32_t* sums) {
  ONNXRUN_SIMD_INTEGER_CALL(interleave_rows, rows, flip, to, sums)
}

}  // namespace

void pack_integer_group(const uint8_t* const rows[4], int64_t columns, uint8_t flip, int64_t group, int8_t* panel,
                        int32_t* sums) {
  int8_t* to = panel + group * 4 * kPanel;
  if (columns == kPanel && rows[0] != nullptr && rows[1] != nullptr && rows[2] != nullptr && rows[3] != nullptr)
    return interleave_rows(rows, flip, to, sums);
  // Missing rows and columns are zeros, which are not flipped.
  uint8_t bytes[4][kPanel] = {};
  const uint8_t* whole[4] = {bytes[0], bytes[1], bytes[2], bytes[3]};
  for (int r = 0; r < 4; ++r)
    for (int64_t j = 0; j < columns && rows[r] != nullptr; ++j) bytes[r][j] = static_cast<uint8_t>(rows[r][j] ^ flip);
  interleave_rows(whole, 0, to, sums);
}

void pack_integer_panels(const uint8_t* b, int64_t stride, int64_t k, int64_t n, uint8_t flip, int8_t* packed,
                         int32_t* sums) {
  const int64_t groups = grouped_depth(k) / 4;
  for (int64_t first = 0; first < n; first += kPanel, packed += groups * 4 * kPanel) {
    const int64_t columns = std::min(kPanel, n - first);
    int32_t column_sums[kPanel] = {};
    for (int64_t g = 0; g < groups; ++g) {
      const uint8_t* rows[4];
      for (int64_t r = 0; r < 4; ++r) rows[r] = 4 * g + r < k ? b + (4 * g + r) * stride + first : nullptr;
      pack_integer_group(rows, columns, flip, g, packed, column_sums);
    }
    std::copy_n(column_sums, columns, sums + first);
  }
}

int32_t pack_integer_row(const uint8_t* from, int64_t k, uint8_t flip, uint8_t* to) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < k; ++i) {
    to[i] = static_cast<uint8_t>(from[i] ^ flip);
    sum += to[i];
  }
  std::fill(to + k, to + grouped_depth(k), uint8_t{0});
  return static_cast<int32_t>(sum);
}

void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc) {
  ONNXRUN_SIMD_INTEGER_CALL(multiply_integer_panels, a, lda, packed, m, k, n, c, ldc);
}

}  // namespace onnxrun::cpu
