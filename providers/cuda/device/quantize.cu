// QuantizeLinear and DequantizeLinear: a thread an element.
#include "cuda/device/quantize.h"

#include <cmath>

#include "cuda/device/block.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

__device__ int64_t scale_index(const Quantization& how, int64_t i) {
  const int64_t inner = i % how.inner, k = i / how.inner % how.size, outer = i / how.inner / how.size;
  return ((how.by_outer ? outer * how.blocks : 0) + k / how.block) * how.scale_inner +
         (how.scale_inner > 1 ? inner : 0);
}

__device__ float float_at(const void* data, DType type, int64_t i) {
  switch (type) {
    case DType::kFloat64: return static_cast<float>(static_cast<const double*>(data)[i]);
    case DType::kFloat16: return __half2float(static_cast<const __half*>(data)[i]);
    case DType::kBfloat16: return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]);
    default: return static_cast<const float*>(data)[i];
  }
}

__device__ float rounded_to(DType precision, float value) {
  if (precision == DType::kFloat16) return __half2float(__float2half_rn(value));
  if (precision == DType::kBfloat16) return __bfloat162float(__float2bfloat16_rn(value));
  return value;
}

// Nearest whole number, ties to even; NaN and what is beyond the bounds saturate.
template <class Q>
__device__ Q quantized(float ratio, float zero, float low, float high) {
  if constexpr (std::is_same_v<Q, float>) return ratio + zero;
  const float value = rintf(ratio) + zero;
  return static_cast<Q>(value > low ? (value < high ? value : high) : low);
}

template <class X, class Q>
__global__ void quantize(const X* x, Q* y, Quantization how) {
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    const int64_t s = scale_index(how, i);
    const float scale = rounded_to(how.precision, float_at(how.scale, how.scale_type, s));
    const float value = rounded_to(how.precision, static_cast<float>(widen(x[i])));
    const float zero = how.zero == nullptr ? 0.0f : static_cast<float>(static_cast<const Q*>(how.zero)[s]);
    y[i] = quantized<Q>(rounded_to(how.precision, value / scale), zero, how.low, how.high);
  }
}

template <class Q, class Y>
__global__ void dequantize(const Q* x, Y* y, Quantization how) {
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    const int64_t s = scale_index(how, i);
    const float zero = how.zero == nullptr ? 0.0f : static_cast<float>(static_cast<const Q*>(how.zero)[s]);
    y[i] = narrow<Y>((static_cast<float>(x[i]) - zero) * float_at(how.scale, how.scale_type, s));
  }
}

template <class X, class Q>
void launch_quantize(const Queue& queue, const Quantization& how, const void* x, void* y) {
  if (how.count == 0) return;
  launch(queue, quantize<X, Q>, blocks_for(how.count), kThreads, static_cast<const X*>(x), static_cast<Q*>(y), how);
}
template <class Q, class Y>
void launch_dequantize(const Queue& queue, const Quantization& how, const void* x, void* y) {
  if (how.count == 0) return;
  launch(queue, dequantize<Q, Y>, blocks_for(how.count), kThreads, static_cast<const Q*>(x), static_cast<Y*>(y), how);
}

__global__ void dynamic_scale(int64_t count, const float* x, float* scale, uint8_t* zero) {
  float low = 0, high = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  low = combine_block(low, 0.0f, [](float a, float b) { return a < b ? a : b; });
  high = combine_block(high, 0.0f, [](float a, float b) { return a > b ? a : b; });
  if (threadIdx.x != 0) return;
  const float step = low == high ? 1.0f : (high - low) / 255.0f;
  *scale = step;
  *zero = quantized<uint8_t>(0.0f - low / step, 0.0f, 0.0f, 255.0f);
}

}  // namespace

QuantizeLaunch find_quantize(DType x, DType q) {
  QuantizeLaunch result = nullptr;
  with_element(FloatElements{}, x, [&]<class X>(std::type_identity<X>) {
    with_element(Elements<int8_t, uint8_t, int16_t, uint16_t, float>{}, q,
                 [&]<class Q>(std::type_identity<Q>) { result = launch_quantize<X, Q>; });
  });
  return result;
}

QuantizeLaunch find_dequantize(DType q, DType y) {
  QuantizeLaunch result = nullptr;
  with_element(FloatElements{}, y, [&]<class Y>(std::type_identity<Y>) {
    with_element(Elements<int8_t, uint8_t, int16_t, uint16_t, int32_t, float>{}, q,
                 [&]<class Q>(std::type_identity<Q>) { result = launch_dequantize<Q, Y>; });
  });
  return result;
}

void launch_dynamic_scale(const Queue& queue, int64_t count, const float* x, float* scale, uint8_t* zero) {
  launch(queue, dynamic_scale, 1, 256, count, x, scale, zero);
}

}  // namespace onnxrun::cuda
