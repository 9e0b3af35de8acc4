// Attributes of the activations, with each operator's defaults.
#pragma once

#include <string>
#include <string_view>

namespace onnxrun::ops {

// What the formulas of the activations call alpha, beta (HardSigmoid), gamma (Selu), lambd and bias (Shrink).
struct ActivationAttributes {
  float alpha = 0, beta = 0, gamma = 0, lambd = 0, bias = 0;
};

// `op` is the operator's name; `source` has get_float.
template <class Source>
ActivationAttributes read_activation(std::string_view op, const Source& source) {
  ActivationAttributes result;
  float alpha = 1.0f;
  if (op == "LeakyRelu") alpha = 0.01f;
  if (op == "HardSigmoid") alpha = 0.2f;
  if (op == "Selu") alpha = 1.67326319217681884765625f;
  result.alpha = source.get_float("alpha", alpha);
  result.beta = source.get_float("beta", 0.5f);
  result.gamma = source.get_float("gamma", 1.05070102214813232421875f);
  result.lambd = source.get_float("lambd", 0.5f);
  result.bias = source.get_float("bias", 0.0f);
  return result;
}

// Gelu: whether `approximate` asks for the formula with tanh.
template <class Source>
bool gelu_by_tanh(const Source& source) {
  return source.get_string("approximate", "none") == "tanh";
}

}  // namespace onnxrun::ops
