// The activation that ends a convolution or a product: a clamp, or a formula.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cuda/device/elementwise.h"
#include "cuda/kernel.h"
#include "ops/attributes/activation.h"

namespace onnxrun::cuda {

struct Ending {
  bool clamps = false;
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
  UnaryLaunch launch = nullptr;
  Formula formula;

  // By the name of ONNX's operator and its parameters (alpha, beta; of Clip its bounds), where there are any; no name is none. Nullopt
  // for what is unknown here.
  static std::optional<Ending> find(const std::string& name, const std::vector<float>& parameters, DType type) {
    Ending result;
    if (name.empty()) return result;
    if (name == "Relu" || name == "Clip") {
      result.clamps = true;
      if (name == "Relu") result.low = 0;
      else if (!parameters.empty()) result.low = parameters[0];
      if (name == "Clip" && parameters.size() > 1) result.high = parameters[1];
      return result;
    }
    // Attributes of the operator itself that are not given.
    struct None {
      float get_float(const char*, float fallback) const { return fallback; }
    };
    result.launch = find_activation(name, type);
    if (result.launch == nullptr) result.launch = find_unary(name, type);
    if (result.launch == nullptr) return std::nullopt;
    const ops::ActivationAttributes a = ops::read_activation(name, None{});
    result.formula.alpha = !parameters.empty() ? parameters[0] : a.alpha;
    result.formula.beta = parameters.size() > 1 ? parameters[1] : a.beta;
    result.formula.gamma = a.gamma, result.formula.lambd = a.lambd, result.formula.bias = a.bias;
    return result;
  }
};

}  // namespace onnxrun::cuda
