// Packing of 8-bit panels, and the choice of their product at this machine's level.
#include "cpu/loops/integer_panels.h"

#include <algorithm>
#include <cstring>

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                                                       \
  namespace simd::level {                                                                                            \
  void interleave_rows(const uint8_t* const* rows, int64_t groups, uint8_t flip, int8_t* to, int32_t* sums);         \
  void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n, \
                               int32_t* c, int64_t ldc);                                                             \
  }
ONNXRUN_SIMD_FOR_EACH_INTEGER_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

namespace {

// Groups of four rows of kPanel bytes, xored with `flip`; adds the bytes, as signed numbers, to sums[column].
void interleave_rows(const uint8_t* const* rows, int64_t groups, uint8_t flip, int8_t* to, int32_t* sums) {
  ONNXRUN_SIMD_INTEGER_CALL(interleave_rows, rows, groups, flip, to, sums)
}

}  // namespace

void pack_integer_rows(const uint8_t* const* rows, int64_t count, int64_t columns, uint8_t flip, int8_t* to,
                       int32_t* sums) {
  const int64_t whole = columns == kPanel ? count / 4 : 0;
  if (whole > 0) interleave_rows(rows, whole, flip, to, sums);
  // Missing rows and columns are zeros, which are not flipped.
  for (int64_t first = 4 * whole; first < count; first += 4) {
    uint8_t bytes[4][kPanel] = {};
    const uint8_t* padded[4] = {bytes[0], bytes[1], bytes[2], bytes[3]};
    for (int64_t r = 0; r < std::min<int64_t>(4, count - first); ++r)
      for (int64_t j = 0; j < columns; ++j) bytes[r][j] = static_cast<uint8_t>(rows[first + r][j] ^ flip);
    interleave_rows(padded, 1, 0, to + first * kPanel, sums);
  }
}

void pack_integer_panels(const uint8_t* b, int64_t stride, int64_t k, int64_t n, uint8_t flip, int8_t* packed,
                         int32_t* sums) {
  const int64_t groups = grouped_depth(k) / 4;
  for (int64_t first = 0; first < n; first += kPanel, packed += groups * 4 * kPanel) {
    const int64_t columns = std::min(kPanel, n - first);
    int32_t column_sums[kPanel] = {};
    constexpr int64_t kAtOnce = 64;
    for (int64_t row = 0; row < k; row += kAtOnce) {
      const int64_t count = std::min(kAtOnce, k - row);
      const uint8_t* rows[kAtOnce];
      for (int64_t r = 0; r < count; ++r) rows[r] = b + (row + r) * stride + first;
      pack_integer_rows(rows, count, columns, flip, packed + row * kPanel, column_sums);
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
