// Depthwise rows at one instruction set level.
#include "cpu/loops/depthwise.h"

#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void depthwise_row(const uint8_t* x, const int64_t* taps, const int32_t* weights, int64_t count, int64_t stride,
                   uint8_t flip, int32_t* sums, int64_t n);
void depthwise_floats(const float* x, const float* weights, int64_t count, int64_t dilation, float bias, float* sums,
                      int64_t n);

namespace {

// kWidth bytes, one every kStride (1 or 2), as numbers.
template <int kStride>
inline IntVector bytes_at(const uint8_t* x) {
#if ONNXRUN_SIMD_LEVEL >= 4
  if constexpr (kStride == 1)
    return (IntVector)_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
  const __m256i pairs =
      _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)), _mm256_set1_epi16(0xff));
  return (IntVector)_mm512_maskz_cvtepu16_epi32(0xffff, pairs);
#elif ONNXRUN_SIMD_LEVEL == 3
  if constexpr (kStride == 1)
    return (IntVector)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x)));
  const __m128i pairs = _mm_and_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)), _mm_set1_epi16(0xff));
  return (IntVector)_mm256_cvtepu16_epi32(pairs);
#else
  IntVector result;
  for (int64_t l = 0; l < kWidth; ++l) result[l] = x[l * kStride];
  return result;
#endif
}

template <int kStride, int V>
void block(const uint8_t* x, const int64_t* taps, const int32_t* weights, int64_t count, int32_t flip, int32_t* sums) {
  IntVector totals[V] = {};
  for (int64_t t = 0; t < count; ++t) {
    const uint8_t* from = x + taps[t];
    const int32_t weight = weights[t];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) totals[v] += (bytes_at<kStride>(from + v * kWidth * kStride) ^ flip) * weight;
  }
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) std::memcpy(sums + v * kWidth, &totals[v], sizeof totals[v]);
}

template <int kStride>
void row(const uint8_t* x, const int64_t* taps, const int32_t* weights, int64_t count, int32_t flip, int32_t* sums,
         int64_t n) {
  int64_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) block<kStride, 4>(x + i * kStride, taps, weights, count, flip, sums + i);
  if (i == n) return;
  int32_t rest[4 * kWidth];
  x += i * kStride;
  if (n - i > 2 * kWidth) block<kStride, 4>(x, taps, weights, count, flip, rest);
  else block<kStride, 2>(x, taps, weights, count, flip, rest);
  std::memcpy(sums + i, rest, static_cast<size_t>(n - i) * sizeof(int32_t));
}

template <int V>
void float_block(const float* x, const float* weights, int64_t count, int64_t dilation, float bias, float* sums) {
  Vector totals[V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) totals[v] = splat(bias);
  for (int64_t t = 0; t < count; ++t) {
    const Vector weight = splat(weights[t]);
    const float* from = x + t * dilation;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) totals[v] = madd(load(from + v * kWidth), weight, totals[v]);
  }
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) store(sums + v * kWidth, totals[v]);
}

}  // namespace

void depthwise_floats(const float* x, const float* weights, int64_t count, int64_t dilation, float bias, float* sums,
                      int64_t n) {
  int64_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) float_block<4>(x + i, weights, count, dilation, bias, sums + i);
  for (; i + kWidth <= n; i += kWidth) float_block<1>(x + i, weights, count, dilation, bias, sums + i);
  if (i == n) return;
  float rest[kWidth];
  float_block<1>(x + i, weights, count, dilation, bias, rest);
  std::memcpy(sums + i, rest, static_cast<size_t>(n - i) * sizeof(float));
}

void depthwise_row(const uint8_t* x, const int64_t* taps, const int32_t* weights, int64_t count, int64_t stride,
                   uint8_t flip, int32_t* sums, int64_t n) {
  if (stride == 1) return row<1>(x, taps, weights, count, flip, sums, n);
  if (stride == 2) return row<2>(x, taps, weights, count, flip, sums, n);
  for (int64_t i = 0; i < n; ++i) {
    int32_t sum = 0;
    for (int64_t t = 0; t < count; ++t) sum += weights[t] * (x[taps[t] + i * stride] ^ flip);
    sums[i] = sum;
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
