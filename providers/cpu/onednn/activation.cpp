// ONNX's activations as oneDNN's.
#include "cpu/onednn/activation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace onnxrun::cpu::onednn {

std::optional<Activation> Activation::find(std::string_view name, const std::vector<float>& parameters) {
  using Algorithm = dnnl::algorithm;
  if (name.empty()) return Activation{};
  // Of infinite factors the lanes without a channel would become NaN.
  if (name != "Clip" && !std::all_of(parameters.begin(), parameters.end(), [](float p) { return std::isfinite(p); }))
    return std::nullopt;
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

}  // namespace onnxrun::cpu::onednn
