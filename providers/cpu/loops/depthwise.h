// Rows of convolutions that see one channel each, on bytes and float32; built for every instruction set level.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// sums[i] = sum over t of weights[t] * (x[taps[t] + i * stride] ^ flip), bytes as unsigned numbers. Up to 256 bytes beyond the last are read.
void depthwise_row(const uint8_t* x, const int64_t* taps, const int32_t* weights, int64_t count, int64_t stride,
                   uint8_t flip, int32_t* sums, int64_t n);

// sums[i] = bias + sum over t of weights[t] * x[i + t * dilation] for i in [0, n). Up to 64 elements beyond the last are read.
void depthwise_floats(const float* x, const float* weights, int64_t count, int64_t dilation, float bias, float* sums,
                      int64_t n);

}  // namespace onnxrun::cpu
