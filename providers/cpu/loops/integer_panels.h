// Exact products of 8-bit matrices into int32, with the right operand packed into panels; built for every instruction set level.
#pragma once

#include <cstdint>

#include "cpu/loops/panels.h"

namespace onnxrun::cpu {

// Depths are padded with zeros to whole groups of four.
constexpr int64_t grouped_depth(int64_t k) { return (k + 3) / 4 * 4; }

// Bytes that a packed k x n matrix takes.
constexpr int64_t integer_panel_bytes(int64_t k, int64_t n) {
  return (n + kPanel - 1) / kPanel * kPanel * grouped_depth(k);
}

// Packs `count` rows of one panel (`columns` <= kPanel bytes each), four to a group, the last group filled up with zeros; `flip` is xored into every
// byte. Adds the bytes, as signed numbers, to sums[column].
void pack_integer_rows(const uint8_t* const* rows, int64_t count, int64_t columns, uint8_t flip, int8_t* to,
                       int32_t* sums);

// Packs B (k x n, rows `stride` apart), every byte xored with `flip` and then taken as signed; sums[j] is the sum of column j.
void pack_integer_panels(const uint8_t* b, int64_t stride, int64_t k, int64_t n, uint8_t flip, int8_t* packed,
                         int32_t* sums);

// Copies a row of k bytes, each xored with `flip`, padded with zeros to grouped_depth(k). Returns the sum of the k bytes as unsigned numbers.
int32_t pack_integer_row(const uint8_t* from, int64_t k, uint8_t flip, uint8_t* to);

// Panels in parts (cpu/loops/weight_parts.h) multiply faster where integer_panels_in_parts(). What remains are groups of kStrip columns: of strip s those from
// starts[s] to starts[s + 1], each the number of the group in a strip, int32, and its bytes, [column, row].
inline constexpr int64_t kStrip = 16, kRestGroupBytes = 4 + 4 * kStrip;
struct IntegerPanelRest {
  const int32_t* starts = nullptr;  // null: panels are whole
  const char* groups = nullptr;
};
bool integer_panels_in_parts();
constexpr int64_t integer_panel_strips(int64_t n) { return (n + kPanel - 1) / kPanel * (kPanel / kStrip); }
// Takes packed panels apart; returns false and leaves them where something remains of more than `most` groups.
bool take_panels_apart(int8_t* packed, int64_t k, int64_t n, int64_t most, int32_t* starts, char* groups);

// C(m x n) = A * B modulo 2^32: A has m rows of unsigned bytes, lda apart, each padded to grouped_depth(k).
void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc);
// The same of panels in parts; rest.starts is that of the first strip.
void multiply_integer_parts(const uint8_t* a, int64_t lda, const int8_t* packed, IntegerPanelRest rest, int64_t m,
                            int64_t k, int64_t n, int32_t* c, int64_t ldc);

}  // namespace onnxrun::cpu
