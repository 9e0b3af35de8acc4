// Packing of 8-bit panels, and the choice of their product at this machine's level.
#include "cpu/loops/integer_panels.h"

#include <algorithm>
#include <cstring>

#include "cpu/loops/simd_call.h"
#include "cpu/loops/weight_parts.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                                                                                       \
  namespace simd::level {                                                                                            \
  void interleave_rows(const uint8_t* const* rows, int64_t groups, uint8_t flip, int8_t* to, int32_t* sums);         \
  void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n, \
                               int32_t* c, int64_t ldc);                                                             \
  }
ONNXRUN_SIMD_FOR_EACH_INTEGER_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

#if defined(__x86_64__)
#define ONNXRUN_DECLARE(level)                                                                                       \
  namespace simd::level {                                                                                            \
  void multiply_integer_parts(const uint8_t* a, int64_t lda, const int8_t* packed, IntegerPanelRest rest, int64_t m, \
                              int64_t k, int64_t n, int32_t* c, int64_t ldc);                                        \
  }
ONNXRUN_DECLARE(v3)
ONNXRUN_DECLARE(v4)
#undef ONNXRUN_DECLARE
#endif

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

#if defined(__x86_64__)
bool integer_panels_in_parts() { return simd_level() == SimdLevel::kV3 || simd_level() == SimdLevel::kV4; }

void multiply_integer_parts(const uint8_t* a, int64_t lda, const int8_t* packed, IntegerPanelRest rest, int64_t m,
                            int64_t k, int64_t n, int32_t* c, int64_t ldc) {
  if (simd_level() == SimdLevel::kV4) simd::v4::multiply_integer_parts(a, lda, packed, rest, m, k, n, c, ldc);
  else simd::v3::multiply_integer_parts(a, lda, packed, rest, m, k, n, c, ldc);
}
#else
bool integer_panels_in_parts() { return false; }

void multiply_integer_parts(const uint8_t* a, int64_t lda, const int8_t* packed, IntegerPanelRest, int64_t m, int64_t k,
                            int64_t n, int32_t* c, int64_t ldc) {
  multiply_integer_panels(a, lda, packed, m, k, n, c, ldc);
}
#endif

bool take_panels_apart(int8_t* packed, int64_t k, int64_t n, int64_t most, int32_t* starts, char* groups) {
  const int64_t count = grouped_depth(k) / 4, strips = integer_panel_strips(n);
  // The bytes of a group of a strip.
  const auto bytes = [&](int64_t strip, int64_t group) {
    constexpr int64_t kStrips = kPanel / kStrip;
    return packed + ((strip / kStrips * count + group) * kStrips + strip % kStrips) * 4 * kStrip;
  };
  int8_t kept[4 * kStrip], rest[4 * kStrip];
  int64_t found = 0;
  for (int64_t s = 0; s < strips && found <= most; ++s) {
    starts[s] = static_cast<int32_t>(found);
    for (int64_t g = 0; g < count; ++g) {
      std::memcpy(kept, bytes(s, g), sizeof kept);
      found += keep_part(kept, rest, 4 * kStrip);
    }
  }
  if (found > most) return false;
  starts[strips] = static_cast<int32_t>(found);
  for (int64_t s = 0; s < strips; ++s)
    for (int64_t g = 0; g < count; ++g) {
      if (!keep_part(bytes(s, g), rest, 4 * kStrip)) continue;
      const auto group = static_cast<int32_t>(g);
      std::memcpy(groups, &group, sizeof group);
      std::memcpy(groups + sizeof group, rest, sizeof rest);
      groups += kRestGroupBytes;
    }
  return true;
}

}  // namespace onnxrun::cpu
