// The inner loops of quantised operators on contiguous rows, built for every instruction set level: between float32, int32 sums and 8-bit
// values. Values round half to even and saturate; NaN gives the lowest value.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// An 8-bit integer type with its zero point. Bytes of int8 are passed as uint8_t.
struct ByteType {
  bool is_signed = false;
  int32_t zero = 0;

  int32_t lowest() const { return is_signed ? -128 : 0; }
  int32_t highest() const { return is_signed ? 127 : 255; }
  int32_t value(uint8_t byte) const { return is_signed ? static_cast<int8_t>(byte) : byte; }
};

// A parameter of the elements of a row: one for each, or one for all.
template <class T>
struct RowParameter {
  const T* values = nullptr;  // null: none
  int64_t step = 0;           // 0 or 1
};

// Sums of products of bytes as they are: value (i, j) is sums[i * stride + j] - column_sums[j] * factors[i] + offsets[i] modulo 2^32.
struct SumTile {
  const int32_t* sums = nullptr;
  int64_t stride = 0, rows = 0, columns = 0;
  const int32_t* column_sums = nullptr;
  const int32_t *factors = nullptr, *offsets = nullptr;
};

struct QuantizedRowFunctions {
  // y = x / scale + zero point.
  void (*quantize)(const float* x, float scale, ByteType type, uint8_t* y, int64_t n);
  // y = (x - zero point) * scale.
  void (*dequantize)(const uint8_t* x, float scale, ByteType type, float* y, int64_t n);
  // y = (sums + bias) * scale + zero point, in float32 from the sum on.
  void (*requantize)(const int32_t* sums, RowParameter<int32_t> bias, RowParameter<float> scale, ByteType type,
                     uint8_t* y, int64_t n);
  // The same of a tile with a scale for each row; rows of y are y_stride apart.
  void (*requantize_tile)(const SumTile& tile, const float* scales, ByteType type, uint8_t* y, int64_t y_stride);
  // The values of a tile.
  void (*store_tile)(const SumTile& tile, int32_t* y, int64_t y_stride);
  // y = sums * scale + bias.
  void (*scale)(const int32_t* sums, RowParameter<float> scale, RowParameter<float> bias, float* y, int64_t n);
  // The smallest and the largest of *low, *high and the elements; NaN is passed over.
  void (*extremes)(const float* x, int64_t n, float* low, float* high);
  // y = (a - zero) * a_scale + (b - zero) * b_scale, y = (a - zero) * (b - zero) * a_scale, each plus y's zero point: the scales are over
  // that of the result. A step of 0 repeats the first element.
  void (*add)(const uint8_t* a, int64_t a_step, float a_scale, ByteType a_type, const uint8_t* b, int64_t b_step,
              float b_scale, ByteType b_type, ByteType type, uint8_t* y, int64_t n);
  void (*multiply)(const uint8_t* a, int64_t a_step, float a_scale, ByteType a_type, const uint8_t* b, int64_t b_step,
                   ByteType b_type, ByteType type, uint8_t* y, int64_t n);
  // sums -= a_zero * column_sums + b_zero * row_term modulo 2^32: takes the zero points off a row of products of bytes as they are.
  void (*correct)(int32_t* sums, uint32_t a_zero, const int32_t* column_sums, RowParameter<int32_t> b_zero,
                  uint32_t row_term, int64_t n);
  // Flips bits of each byte and returns the sum of the bytes, as unsigned numbers, modulo 2^32.
  uint32_t (*flip)(uint8_t* x, uint8_t bits, int64_t n);
  // y = the larger of x and y in `count` blocks of 8 or 16 bytes; those of x are x_step apart.
  void (*take_larger)(const uint8_t* x, int64_t x_step, uint8_t* y, int64_t block, int64_t count);
};

// Those of this machine's level.
const QuantizedRowFunctions& quantized_rows();

}  // namespace onnxrun::cpu
