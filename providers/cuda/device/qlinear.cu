// QLinearAdd, QLinearMul, QLinearLeakyRelu and QLinearSigmoid, as other elementwise operators are.
#include "cuda/device/qlinear.h"

#include <cmath>
#include <limits>

#include "cuda/device/map.h"

namespace onnxrun::cuda {
namespace {

struct Add {
  static constexpr bool kTwo = true;
  __device__ static float of(float a, float b, float) { return a + b; }
};
struct Mul {
  static constexpr bool kTwo = true;
  __device__ static float of(float a, float b, float) { return a * b; }
};
struct LeakyRelu {
  static constexpr bool kTwo = false;
  __device__ static float of(float a, float, float alpha) { return a >= 0 ? a : a * alpha; }
};
struct Sigmoid {
  static constexpr bool kTwo = false;
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
struct OfBytes {
  ByteFunction how;

  __device__ Q operator()(Q a, Q b) const {
    constexpr float kLow = std::numeric_limits<Q>::lowest(), kHigh = std::numeric_limits<Q>::max();
    const float result = F::of(value_of(how.a, a), F::kTwo ? value_of(how.b, b) : 0.0f, how.alpha);
    const float value = rintf(result / *how.y.scale) + zero_of<Q>(how.y);
    return static_cast<Q>(value > kLow ? (value < kHigh ? value : kHigh) : kLow);
  }
};

// An operator of one operand reads it as the second, too.
template <class F, class Q>
void launch_byte_function(const Queue& queue, const ByteFunction& how, const Axes<2>& axes, const void* a,
                          const void* b, void* y) {
  launch_map<Q, Q, Q>(queue, OfBytes<F, Q>{how}, axes, a, F::kTwo ? b : a, y);
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
