// ONNX's activations as oneDNN's.
#include "cpu/onednn/activation.h"

#if defined(ONNXRUN_ONEDNN)

#include <algorithm>
#include <cmath>
#include <limits>

namespace onnxrun::cpu::onednn {

std::optional<Activation> Activation::find(std::string_view name, const std::vector<float>& parameters) {
  using Algorithm = dnnl::algorithm;
  if (name.empty()) return Activation{};
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  struct Known {
    std::string_view name;
    Algorithm algorithm;
    size_t parameters;
    float alpha, beta;
  };
  constexpr Known kKnown[] = {{"Relu", Algorithm::eltwise_clip, 0, 0, kInfinity},
                              {"LeakyRelu", Algorithm::eltwise_relu, 1, 0.01f, 0},
                              {"Clip", Algorithm::eltwise_clip, 2, -kInfinity, kInfinity},
                              {"Elu", Algorithm::eltwise_elu, 1, 1, 0},
                              {"Sigmoid", Algorithm::eltwise_logistic, 0, 0, 0},
                              {"HardSigmoid", Algorithm::eltwise_hardsigmoid, 2, 0.2f, 0.5f},
                              {"HardSwish", Algorithm::eltwise_hardswish, 0, 1.0f / 6, 0.5f},
                              {"Swish", Algorithm::eltwise_swish, 1, 1, 0},
                              {"Mish", Algorithm::eltwise_mish, 0, 0, 0},
                              {"Tanh", Algorithm::eltwise_tanh, 0, 0, 0},
                              {"Gelu", Algorithm::eltwise_gelu_erf, 0, 0, 0}};
  for (const Known& known : kKnown) {
    if (known.name != name) continue;
    Activation result{true, known.algorithm == Algorithm::eltwise_clip, known.algorithm, known.alpha, known.beta};
    if (known.parameters > 0 && !parameters.empty()) result.alpha = parameters[0];
    if (known.parameters > 1 && parameters.size() > 1) result.beta = parameters[1];
    if (result.clamps && !(result.alpha <= 0 && result.beta >= 0)) return std::nullopt;
    return result;
  }
  return std::nullopt;
}

double Activation::of(double x) const {
  if (!present) return x;
  const double a = static_cast<double>(alpha), b = static_cast<double>(beta);
  switch (algorithm) {
    case dnnl::algorithm::eltwise_relu: return x > 0 ? x : a * x;
    case dnnl::algorithm::eltwise_clip: return std::min(std::max(x, a), b);
    case dnnl::algorithm::eltwise_elu: return x > 0 ? x : a * std::expm1(x);
    case dnnl::algorithm::eltwise_logistic: return 1 / (1 + std::exp(-x));
    case dnnl::algorithm::eltwise_hardsigmoid: return std::clamp(a * x + b, 0.0, 1.0);
    case dnnl::algorithm::eltwise_hardswish: return x * std::clamp(a * x + b, 0.0, 1.0);
    case dnnl::algorithm::eltwise_swish: return x / (1 + std::exp(-a * x));
    case dnnl::algorithm::eltwise_mish: return x * std::tanh(std::log1p(std::exp(x)));
    case dnnl::algorithm::eltwise_tanh: return std::tanh(x);
    default: return x * 0.5 * std::erfc(-x * std::sqrt(0.5));  // eltwise_gelu_erf
  }
}

}  // namespace onnxrun::cpu::onednn

#endif
