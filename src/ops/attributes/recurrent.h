// The attributes that RNN, GRU and LSTM share.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace onnxrun::ops::attributes {

enum class Activation : uint8_t {
  kRelu,
  kTanh,
  kSigmoid,
  kAffine,
  kLeakyRelu,
  kThresholdedRelu,
  kScaledTanh,
  kHardSigmoid,
  kElu,
  kSoftsign,
  kSoftplus
};

struct ActivationSpec {
  Activation kind = Activation::kTanh;
  float alpha = 0, beta = 0;
};

struct Recurrent {
  int64_t directions = 1;
  bool reversed = false;     // the only direction runs backwards
  bool batch_first = false;  // layout 1
  std::optional<float> clip;
  std::vector<ActivationSpec> activations;  // `count` a direction

  // Whether direction d runs backwards.
  bool backwards(int64_t d) const { return reversed || d == 1; }
};

namespace recurrent {

struct Known {
  const char* name;  // in lower case
  Activation kind;
  int parameters;  // 0: none, 1: alpha, 2: alpha and beta
  float alpha, beta;
};

inline constexpr Known kKnown[] = {
    {"relu", Activation::kRelu, 0, 0, 0},
    {"tanh", Activation::kTanh, 0, 0, 0},
    {"sigmoid", Activation::kSigmoid, 0, 0, 0},
    {"affine", Activation::kAffine, 2, 1.0f, 0},
    {"leakyrelu", Activation::kLeakyRelu, 1, 0.01f, 0},
    {"thresholdedrelu", Activation::kThresholdedRelu, 1, 1.0f, 0},
    {"scaledtanh", Activation::kScaledTanh, 2, 1.0f, 1.0f},
    {"hardsigmoid", Activation::kHardSigmoid, 2, 0.2f, 0.5f},
    {"elu", Activation::kElu, 1, 1.0f, 0},
    {"softsign", Activation::kSoftsign, 0, 0, 0},
    {"softplus", Activation::kSoftplus, 0, 0, 0},
};

inline const Known& known(const std::string& name) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Known& entry : kKnown)
    if (lower == entry.name) return entry;
  base::fail(base::Code::kInvalidModel, "unknown activation '{}' of a recurrent operator", name);
}

}  // namespace recurrent

// Reads the attributes; `defaults` are the activations of one direction. Values of activation_alpha and activation_beta go, in order, to the
// activations that have them. Throws kInvalidModel.
template <class Source>
Recurrent read_recurrent(const Source& source, const std::vector<std::string>& defaults) {
  Recurrent result;
  const std::string direction = source.get_string("direction", "forward");
  if (direction == "bidirectional") result.directions = 2;
  else if (direction == "reverse") result.reversed = true;
  else if (direction != "forward")
    base::fail(base::Code::kInvalidModel, "direction must be forward, reverse or bidirectional, got '{}'", direction);
  const int64_t layout = source.get_int("layout", 0);
  if (layout != 0 && layout != 1) base::fail(base::Code::kInvalidModel, "layout must be 0 or 1, got {}", layout);
  result.batch_first = layout == 1;
  if (source.has("clip")) {
    const float clip = source.get_float("clip", 0);
    if (!(clip >= 0)) base::fail(base::Code::kInvalidModel, "clip must be 0 or more, got {}", clip);
    if (clip > 0) result.clip = clip;
  }
  std::vector<std::string> names = source.get_strings("activations");
  if (names.empty())
    for (int64_t d = 0; d < result.directions; ++d) names.insert(names.end(), defaults.begin(), defaults.end());
  if (names.size() != defaults.size() * static_cast<size_t>(result.directions))
    base::fail(base::Code::kInvalidModel, "activations must list {} functions for each of {} directions, got {}",
               defaults.size(), result.directions, names.size());
  const std::vector<float> alphas = source.get_floats("activation_alpha"), betas = source.get_floats("activation_beta");
  size_t alpha = 0, beta = 0;
  for (const std::string& name : names) {
    const recurrent::Known& known = recurrent::known(name);
    ActivationSpec spec{known.kind, known.alpha, known.beta};
    if (known.parameters >= 1 && alpha < alphas.size()) spec.alpha = alphas[alpha++];
    if (known.parameters >= 2 && beta < betas.size()) spec.beta = betas[beta++];
    result.activations.push_back(spec);
  }
  return result;
}

// The value of an activation.
inline double activate(const ActivationSpec& spec, double x) {
  const double alpha = static_cast<double>(spec.alpha), beta = static_cast<double>(spec.beta);
  switch (spec.kind) {
    case Activation::kRelu: return x > 0 || x != x ? x : 0;
    case Activation::kTanh: return std::tanh(x);
    case Activation::kSigmoid: return 1 / (1 + std::exp(-x));
    case Activation::kAffine: return alpha * x + beta;
    case Activation::kLeakyRelu: return x >= 0 || x != x ? x : alpha * x;
    case Activation::kThresholdedRelu: return x >= alpha || x != x ? x : 0;
    case Activation::kScaledTanh: return alpha * std::tanh(beta * x);
    case Activation::kHardSigmoid: {
      const double y = alpha * x + beta;
      return y < 0 ? 0 : y > 1 ? 1 : y;
    }
    case Activation::kElu: return x >= 0 || x != x ? x : alpha * std::expm1(x);
    case Activation::kSoftsign: return x / (1 + std::abs(x));
    case Activation::kSoftplus: return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  }
  return x;
}

}  // namespace onnxrun::ops::attributes
