// QuantizeLinear and DequantizeLinear of whole-byte integers, of float8, and of other codes that stand in bytes or as float32.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// Element i takes the scale (and zero point) of index (outer * blocks + k / block) * scale_inner + inner, where i is [outer, k, inner].
struct Quantization {
  int64_t count = 0, size = 1, inner = 1, block = 1, blocks = 1, scale_inner = 1;
  bool by_outer = false;  // scales differ by outer position, too
  const void* scale = nullptr;
  base::DType scale_type = base::DType::kFloat32;
  const void* zero = nullptr;                     // of the same type as the quantised elements; null: 0
  base::DType precision = base::DType::kFloat32;  // of the division
  float low = 0, high = 0;                        // to which integers saturate
  bool saturate = true;                           // float8: also values out of range
};

// `x` float32, float64, float16 or bfloat16; `q` int8, uint8, int16, uint16 (and int32 to dequantise from), a type of float8, or float32, whose values
// are neither rounded nor bounded. Null otherwise.
using QuantizeLaunch = void (*)(const Queue& queue, const Quantization& how, const void* x, void* y);
QuantizeLaunch find_quantize(base::DType x, base::DType q);
QuantizeLaunch find_dequantize(base::DType q, base::DType y);

// Scale and zero point that bring `x` to uint8 as DynamicQuantizeLinear does, to *scale and *zero; parts[2 * kScaleParts] are scratch memory.
constexpr int64_t kScaleParts = 512;
void launch_dynamic_scale(const Queue& queue, int64_t count, const float* x, float* parts, float* scale, uint8_t* zero);

}  // namespace onnxrun::cuda
