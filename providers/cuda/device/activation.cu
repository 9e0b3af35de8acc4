// Activations of one input.
#include <cmath>

#include "cuda/device/map.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__device__ T logistic(T x) {
  const T e = exp(-fabs(x));
  return (x < T(0) ? e : T(1)) / (T(1) + e);
}
template <class T>
__device__ T softplus(T x) {
  return (x < T(0) ? T(0) : x) + log1p(exp(-fabs(x)));
}

#define ONNXRUN_ACTIVATION(Name, expression)                                  \
  struct Name {                                                               \
    Formula f;                                                                \
    __host__ __device__ explicit Name(const Formula& numbers) : f(numbers) {} \
    template <class T>                                                        \
    __device__ T operator()(T x) const {                                      \
      return expression;                                                      \
    }                                                                         \
  }

ONNXRUN_ACTIVATION(Relu, x < T(0) ? T(0) : x);
ONNXRUN_ACTIVATION(LeakyRelu, x < T(0) ? T(f.alpha) * x : x);
ONNXRUN_ACTIVATION(Elu, x < T(0) ? T(f.alpha) * expm1(x) : x);
ONNXRUN_ACTIVATION(Selu, T(f.gamma) * (x < T(0) ? T(f.alpha) * expm1(x) : x));
ONNXRUN_ACTIVATION(Sigmoid, logistic(x));
ONNXRUN_ACTIVATION(Softplus, softplus(x));
ONNXRUN_ACTIVATION(Softsign, x / (T(1) + fabs(x)));
ONNXRUN_ACTIVATION(ThresholdedRelu, x > T(f.alpha) ? x : T(0));
ONNXRUN_ACTIVATION(Mish, x* tanh(softplus(x)));
ONNXRUN_ACTIVATION(Gelu, T(0.5) * x * erfc(x * T(-0.70710678118654752440)));
ONNXRUN_ACTIVATION(GeluTanh, x* logistic(T(1.59576912160573071176) * (x + T(0.044715) * x * x * x)));
ONNXRUN_ACTIVATION(Scale, x* T(f.alpha));
ONNXRUN_ACTIVATION(Share, x / T(f.alpha));
ONNXRUN_ACTIVATION(Swish, x* logistic(T(f.alpha) * x));
ONNXRUN_ACTIVATION(Shrink, x<-T(f.lambd) ? x + T(f.bias) : x> T(f.lambd) ? x - T(f.bias) : T(0));
struct Celu {
  Formula f;
  __host__ __device__ explicit Celu(const Formula& numbers) : f(numbers) {}
  template <class T>
  __device__ T operator()(T x) const {
    const T alpha = T(f.alpha);
    const T low = alpha * expm1(x / alpha);
    return (x < T(0) ? T(0) : x) + (low > T(0) ? T(0) : low);
  }
};
struct HardSigmoid {
  Formula f;
  __host__ __device__ explicit HardSigmoid(const Formula& numbers) : f(numbers) {}
  template <class T>
  __device__ T operator()(T x) const {
    const T y = T(f.alpha) * x + T(f.beta);
    return y < T(0) ? T(0) : y > T(1) ? T(1) : y;
  }
};
struct HardSwish {
  __host__ __device__ explicit HardSwish(const Formula&) {}
  template <class T>
  __device__ T operator()(T x) const {
    const T y = x / T(6) + T(0.5);
    return x * (y < T(0) ? T(0) : y > T(1) ? T(1) : y);
  }
};

template <class F, class List = FloatElements>
UnaryLaunch same_type(DType type) {
  UnaryLaunch result = nullptr;
  with_element(List{}, type, [&]<class T>(std::type_identity<T>) { result = launch_one<F, T, T>; });
  return result;
}

struct Entry {
  std::string_view op;
  UnaryLaunch (*find)(DType type);
};
constexpr Entry kEntries[] = {
    {"Relu", same_type<Relu, JoinElements<FloatElements, SignedElements>>},
    {"LeakyRelu", same_type<LeakyRelu>},
    {"Elu", same_type<Elu>},
    {"Celu", same_type<Celu>},
    {"Selu", same_type<Selu>},
    {"Sigmoid", same_type<Sigmoid>},
    {"HardSigmoid", same_type<HardSigmoid>},
    {"HardSwish", same_type<HardSwish>},
    {"Softplus", same_type<Softplus>},
    {"Softsign", same_type<Softsign>},
    {"ThresholdedRelu", same_type<ThresholdedRelu>},
    {"Mish", same_type<Mish>},
    {"Gelu", same_type<Gelu>},
    {"GeluTanh", same_type<GeluTanh>},
    {"Scale", same_type<Scale>},
    {"Share", same_type<Share>},
    {"Swish", same_type<Swish>},
    {"Shrink", same_type<Shrink>},
};

}  // namespace

UnaryLaunch find_activation(std::string_view op, DType type) {
  for (const Entry& entry : kEntries)
    if (entry.op == op) return entry.find(type);
  return nullptr;
}

}  // namespace onnxrun::cuda
