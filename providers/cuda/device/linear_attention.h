// What sequences carry on from step to step: LinearAttention and CausalConvWithState.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// A tensor of any float type.
struct AnyFloats {
  const void* data = nullptr;
  base::DType type = base::DType::kFloat32;
};

// Each key-value head has a matrix [keys, values] as its state. In each step it fades by e^decay, then, with beta, the value is what it lacks for
// the key, times beta; the product of key and value is added, and every query of the head reads it.
struct LinearAttending {
  int64_t batch = 0, length = 0, query_heads = 1, heads = 1, keys = 0, values = 0, beta_heads = 1;
  bool decay_per_key = false;
  float scale = 1;
  AnyFloats query, key, value;
  AnyFloats past, decay, beta;  // without data: none
  float* state = nullptr;       // [batch, heads, keys, values]
  void* y = nullptr;
  base::DType y_type = base::DType::kFloat32;
  void* present = nullptr;  // or null
  base::DType present_type = base::DType::kFloat32;
};
void launch_linear_attention(const Queue& queue, const LinearAttending& how);

// y[row, t] = bias + sum of weight[row % channels, i] * (past, then x)[row, t + i], perhaps times its sigmoid; present: the last `carried` elements.
struct CausalConvolution {
  int64_t rows = 0, channels = 1, length = 0, carried = 0;
  bool silu = false;
  const void* weight = nullptr;
  const void* bias = nullptr;  // or null, as past and present
  const void* past = nullptr;
  void* present = nullptr;
};
using CausalLaunch = void (*)(const Queue& queue, const CausalConvolution& how, const void* x, void* y);
// float32, float16, bfloat16; null for others.
CausalLaunch find_causal(base::DType type);

}  // namespace onnxrun::cuda
