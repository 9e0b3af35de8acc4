// Short runs of elements that a thread computes with in float32, and sums over the lanes of a warp.
#pragma once

#include "cuda/device/element.h"
#include "cuda/device/pack.h"

namespace onnxrun::cuda {

// As many elements as a thread moves at once.
template <class T, int kCount>
constexpr int kWide = kCount * sizeof(T) <= kPackBytes ? kCount : kPackBytes / static_cast<int>(sizeof(T));

// The first `count` of kCount elements, then zeros. `wide`: all are there, at a multiple of what a thread moves at once.
template <int kCount, class T>
__device__ void load_run(const T* from, int64_t count, bool wide, float (&to)[kCount]) {
  constexpr int kStep = kWide<T, kCount>;
  if (wide) {
#pragma unroll
    for (int i = 0; i < kCount; i += kStep) {
      const Pack<T, kStep> run = load_pack<kStep>(from + i);
#pragma unroll
      for (int j = 0; j < kStep; ++j) to[i + j] = static_cast<float>(widen(run.at[j]));
    }
  } else {
#pragma unroll
    for (int i = 0; i < kCount; ++i) to[i] = i < count ? static_cast<float>(widen(from[i])) : 0.0f;
  }
}
template <int kCount, class T>
__device__ void store_run(T* to, int64_t count, bool wide, const float (&from)[kCount]) {
  constexpr int kStep = kWide<T, kCount>;
  if (wide) {
#pragma unroll
    for (int i = 0; i < kCount; i += kStep) {
      Pack<T, kStep> run;
#pragma unroll
      for (int j = 0; j < kStep; ++j) run.at[j] = narrow<T>(from[i + j]);
      store_pack(to + i, run);
    }
  } else {
#pragma unroll
    for (int i = 0; i < kCount && i < count; ++i) to[i] = narrow<T>(from[i]);
  }
}

// The same of a type that is known only at run time, from element `at` on.
template <int kCount>
__device__ void load_run(const void* data, DType type, int64_t at, int64_t count, float (&to)[kCount]) {
  const auto load = [&]<class T>(const T* from) {
    load_run(from + at, count, at % kWide<T, kCount> == 0 && count >= kCount, to);
  };
  switch (type) {
    case DType::kFloat64: load(static_cast<const double*>(data)); return;
    case DType::kFloat16: load(static_cast<const __half*>(data)); return;
    case DType::kBfloat16: load(static_cast<const __nv_bfloat16*>(data)); return;
    default: load(static_cast<const float*>(data)); return;
  }
}

// Adds up each of kCount values, a power of two up to 32, over the lanes of a warp: lane l gets the sum of value l * kCount / 32. Each step halves the
// values that a lane keeps, so that there are about as many exchanges as values.
template <int kCount, int kLanes = 16>
__device__ float sum_lanes(float* values) {
  if constexpr (kCount > 1) {
    constexpr int kHalf = kCount / 2;
    const bool upper = (threadIdx.x & static_cast<unsigned>(kLanes)) != 0;
#pragma unroll
    for (int i = 0; i < kHalf; ++i) {
      const float given = upper ? values[i] : values[i + kHalf], kept = upper ? values[i + kHalf] : values[i];
      values[i] = kept + __shfl_xor_sync(0xffffffffu, given, kLanes);
    }
    return sum_lanes<kHalf, kLanes / 2>(values);
  } else {
    float sum = values[0];
    for (int lanes = kLanes; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    return sum;
  }
}

}  // namespace onnxrun::cuda
