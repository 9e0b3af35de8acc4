// Functions of one 8-bit value as tables of 256 results.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "cpu/loops/quantized_rows.h"

namespace onnxrun::cpu {

using ByteTable = std::array<uint8_t, 256>;

// Entry i is f(value that the byte i stands for), quantised; f takes and returns float32.
template <class F>
ByteTable byte_table(float x_scale, ByteType x_type, float y_scale, ByteType y_type, F&& f) {
  uint8_t bytes[256];
  float values[256];
  for (int i = 0; i < 256; ++i) bytes[i] = static_cast<uint8_t>(i);
  quantized_rows().dequantize(bytes, x_scale, x_type, values, 256);
  for (float& value : values) value = f(value);
  ByteTable table;
  quantized_rows().quantize(values, y_scale, y_type, table.data(), 256);
  return table;
}

// What moves bytes from one scale and zero point to another.
inline ByteTable rescaling_table(float x_scale, ByteType x_type, float y_scale, ByteType y_type) {
  return byte_table(x_scale, x_type, y_scale, y_type, [](float x) { return x; });
}

// y = table[x], of 256 entries; y may be x.
void look_up(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n);
inline void look_up(const ByteTable& table, const uint8_t* x, uint8_t* y, int64_t n) { look_up(table.data(), x, y, n); }

}  // namespace onnxrun::cpu
