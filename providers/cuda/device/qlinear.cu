// QLinearAdd, QLinearMul, QLinearLeakyRelu and QLinearSigmoid: a thread an element.
#include "cuda/device/qlinear.h"

#include <cmath>
#include <limits>

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

struct Add {
  __device__ static float of(float a, float b, float) { return a + b; }
};
struct Mul {
  __device__ static float of(float a, float b, float) { return a * b; }
};
struct LeakyRelu {
  __device__ static float of(float a, float, float alpha) { return a >= 0 ? a : a * alpha; }
};
struct Sigmoid {
  __device__ static float of(float a, float, float) { return 1.0f / (1.0f + exp(-a)); }
};

template <class Q>
__device__ float zero_of(const ByteScale& scale) {
  return scale.zero == nullptr ? 0.0f : static_cast<float>(*static_cast<const Q*>(scale.zero));
}
template <class Q>
__device__ float value_of(const ByteScale& scale, Q code) {
  return (static_cast<float>(code) - zero_of<Q>(scale)) * *scale.scale;
}

template <class F, class Q>
__global__ void byte_function(ByteFunction how, Axes<2> axes, const Q* a, const Q* b, Q* y) {
  constexpr float kLow = std::numeric_limits<Q>::lowest(), kHigh = std::numeric_limits<Q>::max();
  for (int64_t i = first_item(); i < axes.count; i += item_step()) {
    int64_t at[2];
    axes.offsets(i, at);
    const float second = b == nullptr ? 0.0f : value_of(how.b, b[at[1]]);
    const float result = F::of(value_of(how.a, a[at[0]]), second, how.alpha);
    const float value = rintf(result / *how.y.scale) + zero_of<Q>(how.y);
    y[i] = static_cast<Q>(value > kLow ? (value < kHigh ? value : kHigh) : kLow);
  }
}

template <class F, class Q>
void launch_byte_function(const Queue& queue, const ByteFunction& how, const Axes<2>& axes, const void* a,
                          const void* b, void* y) {
  if (axes.count > 0)
    launch(queue, byte_function<F, Q>, blocks_for(axes.count), kThreads, how, axes, static_cast<const Q*>(a),
           static_cast<const Q*>(b), static_cast<Q*>(y));
}

template <class F>
ByteLaunch of_type(DType type) {
  if (type == DType::kInt8) return launch_byte_function<F, int8_t>;
  return type == DType::kUint8 ? launch_byte_function<F, uint8_t> : nullptr;
}

}  // namespace

ByteLaunch find_byte_function(std::string_view name, DType type) {
  if (name == "Add") return of_type<Add>(type);
  if (name == "Mul") return of_type<Mul>(type);
  if (name == "LeakyRelu") return of_type<LeakyRelu>(type);
  return name == "Sigmoid" ? of_type<Sigmoid>(type) : nullptr;
}

}  // namespace onnxrun::cuda
