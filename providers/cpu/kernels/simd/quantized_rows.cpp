// The quantised rows at one instruction set level: plain loops without branches, which the compiler turns into vectors.
#include "cpu/loops/quantized_rows.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const QuantizedRowFunctions& quantized_rows();

namespace {

constexpr int64_t kBlock = 256;  // elements at a time where a row passes through a buffer

// The byte of a value that is already over the scale: beyond the bounds it saturates, then it rounds half to even and takes the zero point.
struct Store {
  float low, high;
  int32_t zero;

  explicit Store(ByteType type)
      : low(static_cast<float>(type.lowest() - type.zero)),
        high(static_cast<float>(type.highest() - type.zero)),
        zero(type.zero) {}
  uint8_t operator()(float value) const {
    value = value > low ? value : low;
    value = value < high ? value : high;
    const float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves whole numbers
    return static_cast<uint8_t>(static_cast<int32_t>((value + round) - round) + zero);
  }
};

void quantize(const float* x, float scale, ByteType type, uint8_t* y, int64_t n) {
  const Store store(type);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = store(x[i] / scale);
}

template <class T>
void dequantize_as(const T* x, float scale, int32_t zero, float* y, int64_t n) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(static_cast<int32_t>(x[i]) - zero) * scale;
}
void dequantize(const uint8_t* x, float scale, ByteType type, float* y, int64_t n) {
  if (type.is_signed) dequantize_as(reinterpret_cast<const int8_t*>(x), scale, type.zero, y, n);
  else dequantize_as(x, scale, type.zero, y, n);
}

int32_t sum_of(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

void requantize(const int32_t* sums, RowParameter<int32_t> bias, RowParameter<float> scale, ByteType type, uint8_t* y,
                int64_t n) {
  const Store store(type);
  const int32_t add = bias.values != nullptr ? *bias.values : 0;
  if (bias.step == 0 && scale.step == 0) {
    const float factor = *scale.values;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = store(static_cast<float>(sum_of(sums[i], add)) * factor);
    return;
  }
  for (int64_t at = 0; at < n; at += kBlock) {
    const int64_t count = n - at < kBlock ? n - at : kBlock;
    int32_t adds[kBlock];
    float factors[kBlock];
    for (int64_t i = 0; i < count; ++i) adds[i] = bias.step == 0 ? add : bias.values[at + i];
    for (int64_t i = 0; i < count; ++i) factors[i] = scale.values[scale.step == 0 ? 0 : at + i];
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i)
      y[at + i] = store(static_cast<float>(sum_of(sums[at + i], adds[i])) * factors[i]);
  }
}

inline int32_t value_of(int32_t sum, int32_t column_sum, int32_t factor, int32_t offset) {
  return static_cast<int32_t>(static_cast<uint32_t>(sum) -
                              static_cast<uint32_t>(column_sum) * static_cast<uint32_t>(factor) +
                              static_cast<uint32_t>(offset));
}

// One row of a tile; all by value, as bytes that are written might be any object's.
void requantize_row(const int32_t* sums, const int32_t* column_sums, int32_t factor, int32_t offset, float scale,
                    Store store, uint8_t* y, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j)
    y[j] = store(static_cast<float>(value_of(sums[j], column_sums[j], factor, offset)) * scale);
}

void requantize_tile(const SumTile& tile, const float* scales, ByteType type, uint8_t* y, int64_t y_stride) {
  const SumTile t = tile;
  for (int64_t i = 0; i < t.rows; ++i)
    requantize_row(t.sums + i * t.stride, t.column_sums, t.factors[i], t.offsets[i], scales[i], Store(type),
                   y + i * y_stride, t.columns);
}

void store_row(const int32_t* sums, const int32_t* column_sums, int32_t factor, int32_t offset, int32_t* y, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) y[j] = value_of(sums[j], column_sums[j], factor, offset);
}

void store_tile(const SumTile& tile, int32_t* y, int64_t y_stride) {
  const SumTile t = tile;
  for (int64_t i = 0; i < t.rows; ++i)
    store_row(t.sums + i * t.stride, t.column_sums, t.factors[i], t.offsets[i], y + i * y_stride, t.columns);
}

void scale(const int32_t* sums, RowParameter<float> scale, RowParameter<float> bias, float* y, int64_t n) {
  if (scale.step == 0) {
    const float factor = *scale.values;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(sums[i]) * factor;
  } else {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(sums[i]) * scale.values[i];
  }
  if (bias.values == nullptr) return;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] += bias.values[bias.step == 0 ? 0 : i];
}

void extremes(const float* x, int64_t n, float* low, float* high) {
  constexpr int kLanes = 64;
  float least[kLanes], most[kLanes];
  for (int l = 0; l < kLanes; ++l) {
    least[l] = *low;
    most[l] = *high;
  }
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) {
      least[l] = x[i + l] < least[l] ? x[i + l] : least[l];
      most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
    }
  for (; i < n; ++i) {
    least[0] = x[i] < least[0] ? x[i] : least[0];
    most[0] = x[i] > most[0] ? x[i] : most[0];
  }
  for (int l = 0; l < kLanes; ++l) {
    *low = least[l] < *low ? least[l] : *low;
    *high = most[l] > *high ? most[l] : *high;
  }
}

// The values less their zero point as float32, times a factor.
void values(const uint8_t* x, int64_t step, ByteType type, float factor, float* to, int64_t n) {
  if (step != 0) return dequantize(x, factor, type, to, n);
  const float value = static_cast<float>(type.value(*x) - type.zero) * factor;
  for (int64_t i = 0; i < n; ++i) to[i] = value;
}

template <class F>
void combine(const uint8_t* a, int64_t a_step, float a_scale, ByteType a_type, const uint8_t* b, int64_t b_step,
             float b_scale, ByteType b_type, ByteType type, uint8_t* y, int64_t n, F f) {
  const Store store(type);
  float left[kBlock], right[kBlock];
  for (int64_t at = 0; at < n; at += kBlock) {
    const int64_t count = n - at < kBlock ? n - at : kBlock;
    values(a + at * a_step, a_step, a_type, a_scale, left, count);
    values(b + at * b_step, b_step, b_type, b_scale, right, count);
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) y[at + i] = store(f(left[i], right[i]));
  }
}

void add(const uint8_t* a, int64_t a_step, float a_scale, ByteType a_type, const uint8_t* b, int64_t b_step,
         float b_scale, ByteType b_type, ByteType type, uint8_t* y, int64_t n) {
  combine(a, a_step, a_scale, a_type, b, b_step, b_scale, b_type, type, y, n, [](float x, float z) { return x + z; });
}

void multiply(const uint8_t* a, int64_t a_step, float a_scale, ByteType a_type, const uint8_t* b, int64_t b_step,
              ByteType b_type, ByteType type, uint8_t* y, int64_t n) {
  combine(a, a_step, 1, a_type, b, b_step, 1, b_type, type, y, n,
          [a_scale](float x, float z) { return x * z * a_scale; });
}

void correct(int32_t* sums, uint32_t a_zero, const int32_t* column_sums, RowParameter<int32_t> b_zero,
             uint32_t row_term, int64_t n) {
  if (b_zero.step == 0) {
    const uint32_t constant = static_cast<uint32_t>(*b_zero.values) * row_term;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i)
      sums[i] = static_cast<int32_t>(static_cast<uint32_t>(sums[i]) - a_zero * static_cast<uint32_t>(column_sums[i]) -
                                     constant);
    return;
  }
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i)
    sums[i] = static_cast<int32_t>(static_cast<uint32_t>(sums[i]) - a_zero * static_cast<uint32_t>(column_sums[i]) -
                                   static_cast<uint32_t>(b_zero.values[i]) * row_term);
}

uint32_t flip(uint8_t* x, uint8_t bits, int64_t n) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    x[i] = static_cast<uint8_t>(x[i] ^ bits);
    sum += x[i];
  }
  return sum;
}

template <int kBytes>
void take_larger_of(const uint8_t* x, int64_t x_step, uint8_t* y, int64_t count) {
  typedef uint8_t Bytes __attribute__((vector_size(kBytes)));
  for (int64_t i = 0; i < count; ++i, x += x_step, y += kBytes) {
    Bytes a, b;
    __builtin_memcpy(&a, x, kBytes);
    __builtin_memcpy(&b, y, kBytes);
    b = a > b ? a : b;
    __builtin_memcpy(y, &b, kBytes);
  }
}

void take_larger(const uint8_t* x, int64_t x_step, uint8_t* y, int64_t block, int64_t count) {
  if (block == 16) take_larger_of<16>(x, x_step, y, count);
  else take_larger_of<8>(x, x_step, y, count);
}

}  // namespace

const QuantizedRowFunctions& quantized_rows() {
  static constexpr QuantizedRowFunctions kFunctions = {quantize,   dequantize, requantize, requantize_tile,
                                                       store_tile, scale,      extremes,   add,
                                                       multiply,   correct,    flip,       take_larger};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
