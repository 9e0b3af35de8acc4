// ONNX Runtime's elementwise operators on 8-bit integers.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// Scale and zero point, of one element each; without a zero point it is 0.
struct ByteScale {
  const float* scale = nullptr;
  const void* zero = nullptr;
};

// y = quantised f(a, b) of the values that a and b stand for. `alpha`: of LeakyRelu.
struct ByteFunction {
  ByteScale a, b, y;
  float alpha = 0;
};
// Add, Mul; LeakyRelu and Sigmoid read a alone. int8 and uint8; null for other types.
using ByteLaunch = void (*)(const Queue& queue, const ByteFunction& how, const Axes<2>& axes, const void* a,
                            const void* b, void* y);
ByteLaunch find_byte_function(std::string_view name, base::DType type);

}  // namespace onnxrun::cuda
