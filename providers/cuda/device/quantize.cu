// QuantizeLinear and DequantizeLinear: a thread a pack of elements that take one scale, or an element.
#include "cuda/device/quantize.h"

#include <cmath>

#include "cuda/device/block.h"
#include "cuda/device/divisor.h"
#include "cuda/device/element.h"
#include "cuda/device/float8_code.h"
#include "cuda/device/launch.h"
#include "cuda/device/pack.h"

namespace onnxrun::cuda {
namespace {

// Which scale an element takes.
class Scales {
 public:
  explicit Scales(const Quantization& how)
      : inner_(how.inner, how.count),
        size_(how.size, how.count),
        block_(how.block, how.size),
        blocks_(how.by_outer ? how.blocks : 0),
        step_(how.scale_inner),
        whole_(!how.by_outer && how.block >= how.size && how.scale_inner == 1),
        lines_(how.inner) {}

  // Whether elements from a multiple of N on, N of them, take the same.
  bool shared_by(int64_t n) const { return whole_ || (step_ == 1 && lines_ % n == 0); }

  __device__ int64_t operator()(int64_t i) const {
    if (whole_) return 0;
    int64_t inner, k, in_block;
    const int64_t outer = size_.divide(inner_.divide(i, inner), k);
    return (outer * blocks_ + block_.divide(k, in_block)) * step_ + (step_ > 1 ? inner : 0);
  }

 private:
  Divisor inner_, size_, block_;
  int64_t blocks_, step_;
  bool whole_;
  int64_t lines_;
};

__device__ float float_at(const void* data, DType type, int64_t i) {
  switch (type) {
    case DType::kFloat64: return static_cast<float>(static_cast<const double*>(data)[i]);
    case DType::kFloat16: return __half2float(static_cast<const __half*>(data)[i]);
    case DType::kBfloat16: return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]);
    default: return static_cast<const float*>(data)[i];
  }
}

template <class P>
__device__ float rounded(float value) {
  return widen(narrow<P>(value));
}
__device__ float rounded_to(DType precision, float value) {
  if (precision == DType::kFloat16) return rounded<__half>(value);
  if (precision == DType::kBfloat16) return rounded<__nv_bfloat16>(value);
  return value;
}

template <class Q>
__device__ float value_of(Q q) {
  if constexpr (kIsFloat8<Q>) return float8_value(q);
  else return static_cast<float>(q);
}

// Integers get the nearest whole number, ties to even; NaN and what is beyond the bounds saturate.
template <class Q>
__device__ Q quantized(float ratio, float zero, const Quantization& how) {
  if constexpr (std::is_same_v<Q, float>) return ratio + zero;
  else if constexpr (kIsFloat8<Q>) return float8_of<Q::kDType>(ratio + zero, how.saturate);
  else {
    const float value = rintf(ratio) + zero;
    return static_cast<Q>(value > how.low ? (value < how.high ? value : how.high) : how.low);
  }
}

template <class X, class Q>
struct Quantizing {
  const Quantization& how;
  float scale, zero;

  __device__ Quantizing(const Quantization& h, int64_t s)
      : how(h),
        scale(rounded_to(h.precision, float_at(h.scale, h.scale_type, s))),
        zero(h.zero == nullptr ? 0.0f : value_of(static_cast<const Q*>(h.zero)[s])) {}
  template <int N>
  __device__ Pack<Q, N> operator()(const Pack<X, N>& x) const {
    if (how.precision == DType::kFloat16) return by<__half>(x);
    if (how.precision == DType::kBfloat16) return by<__nv_bfloat16>(x);
    return by<float>(x);
  }

 private:
  // P: the type of the division.
  template <class P, int N>
  __device__ Pack<Q, N> by(const Pack<X, N>& x) const {
    Pack<Q, N> result;
    for (int n = 0; n < N; ++n)
      result.at[n] = quantized<Q>(rounded<P>(rounded<P>(static_cast<float>(widen(x.at[n]))) / scale), zero, how);
    return result;
  }
};

template <class Q, class Y>
struct Dequantizing {
  float scale, zero;

  __device__ Dequantizing(const Quantization& how, int64_t s)
      : scale(float_at(how.scale, how.scale_type, s)),
        zero(how.zero == nullptr ? 0.0f : value_of(static_cast<const Q*>(how.zero)[s])) {}
  template <int N>
  __device__ Pack<Y, N> operator()(const Pack<Q, N>& x) const {
    Pack<Y, N> result;
    for (int n = 0; n < N; ++n) result.at[n] = narrow<Y>((value_of(x.at[n]) - zero) * scale);
    return result;
  }
};

template <class In, class Out>
constexpr int kPack = pack_size(sizeof(In) > sizeof(Out) ? sizeof(In) : sizeof(Out));

// F(how, index of the scale) turns a pack of elements into another. A pack takes one scale.
template <class F, class In, class Out>
__global__ void by_scales(const In* __restrict__ x, Out* __restrict__ y, Quantization how, Scales scales,
                          int64_t packs) {
  constexpr int N = kPack<In, Out>;
  for (int64_t i = first_item(); i < packs; i += item_step()) {
    const F f(how, scales(i * N));
    store_pack(y + i * N, f(load_pack<N>(x + i * N)));
  }
  for (int64_t i = packs * N + first_item(); i < how.count; i += item_step())
    y[i] = F(how, scales(i))(Pack<In, 1>{x[i]}).at[0];
}

template <class F, class In, class Out>
void launch_by_scales(const Queue& queue, const Quantization& how, const void* x, void* y) {
  if (how.count == 0) return;
  constexpr int N = kPack<In, Out>;
  const Scales scales(how);
  const auto* in = static_cast<const In*>(x);
  auto* out = static_cast<Out*>(y);
  const int64_t packs = scales.shared_by(N) && takes_packs<N>(in) && takes_packs<N>(out) ? how.count / N : 0;
  launch(queue, by_scales<F, In, Out>, blocks_for(packs > 0 ? packs : how.count), kThreads, in, out, how, scales,
         packs);
}

constexpr int kMany = 1024;  // threads of a block of which there is but one

// The least and the greatest of 0 and what this block takes of x.
struct Extremes {
  float low = 0, high = 0;

  __device__ Extremes(int64_t count, const float* __restrict__ x) {
    for (int64_t i = first_item(); i < count; i += item_step()) {
      low = x[i] < low ? x[i] : low;
      high = x[i] > high ? x[i] : high;
    }
    low = combine_block(low, 0.0f, [](float a, float b) { return a < b ? a : b; });
    high = combine_block(high, 0.0f, [](float a, float b) { return a > b ? a : b; });
  }
};

// A pair a block.
__global__ void extremes(int64_t count, const float* __restrict__ x, float* parts) {
  const Extremes found(count, x);
  if (threadIdx.x != 0) return;
  parts[2 * blockIdx.x] = found.low;
  parts[2 * blockIdx.x + 1] = found.high;
}

// Of one block, and of x or of the extremes of its parts.
__global__ void dynamic_scale(int64_t count, const float* __restrict__ x, float* scale, uint8_t* zero) {
  const Extremes found(count, x);
  if (threadIdx.x != 0) return;
  const float step = found.low == found.high ? 1.0f : (found.high - found.low) / 255.0f;
  *scale = step;
  const float value = rintf(0.0f - found.low / step);
  *zero = static_cast<uint8_t>(value > 0.0f ? (value < 255.0f ? value : 255.0f) : 0.0f);
}

}  // namespace

QuantizeLaunch find_quantize(DType x, DType q) {
  QuantizeLaunch result = nullptr;
  with_element(FloatElements{}, x, [&]<class X>(std::type_identity<X>) {
    with_element(Elements<int8_t, uint8_t, int16_t, uint16_t, float>{}, q,
                 [&]<class Q>(std::type_identity<Q>) { result = launch_by_scales<Quantizing<X, Q>, X, Q>; });
    with_float8(q, [&]<class Q>(std::type_identity<Q>) { result = launch_by_scales<Quantizing<X, Q>, X, Q>; });
  });
  return result;
}

QuantizeLaunch find_dequantize(DType q, DType y) {
  QuantizeLaunch result = nullptr;
  with_element(FloatElements{}, y, [&]<class Y>(std::type_identity<Y>) {
    with_element(Elements<int8_t, uint8_t, int16_t, uint16_t, int32_t, float>{}, q,
                 [&]<class Q>(std::type_identity<Q>) { result = launch_by_scales<Dequantizing<Q, Y>, Q, Y>; });
    with_float8(q, [&]<class Q>(std::type_identity<Q>) { result = launch_by_scales<Dequantizing<Q, Y>, Q, Y>; });
  });
  return result;
}

void launch_dynamic_scale(const Queue& queue, int64_t count, const float* x, float* parts, float* scale,
                          uint8_t* zero) {
  constexpr int64_t kFew = 8 * kMany, kEach = 4 * kThreads;  // elements of the only block, and of one of many
  if (count > kFew) {
    const int64_t blocks = (count + kEach - 1) / kEach;
    const auto launched = static_cast<unsigned>(blocks < kScaleParts ? blocks : kScaleParts);
    launch(queue, extremes, launched, kThreads, count, x, parts);
    count = 2 * static_cast<int64_t>(launched), x = parts;
  }
  launch(queue, dynamic_scale, 1, kMany, count, x, scale, zero);
}

}  // namespace onnxrun::cuda
