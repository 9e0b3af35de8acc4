// Finding and applying activations of blocks.
#include "cpu/loops/block_end.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {

namespace {

// Parameters by position, as attributes by name.
struct Positional {
  const std::vector<float>& values;
  float get_float(std::string_view name, float fallback) const {
    const size_t at = name == "alpha" ? 0 : name == "beta" ? 1 : values.size();
    return at < values.size() ? values[at] : fallback;
  }
};

}  // namespace

std::optional<BlockEnd> BlockEnd::find(std::string_view name, const std::vector<float>& parameters) {
  BlockEnd result;
  if (name.empty()) return result;
  // Of infinite factors the lanes without a channel would become NaN.
  if (name != "Clip" && !std::all_of(parameters.begin(), parameters.end(), [](float p) { return std::isfinite(p); }))
    return std::nullopt;
  if (name == "Relu" || name == "Clip") {
    result.clamps_ = true;
    if (name == "Relu") result.low_ = 0;
    else if (!parameters.empty()) result.low_ = parameters[0];
    if (name == "Clip" && parameters.size() > 1) result.high_ = parameters[1];
    return result.low_ <= 0 && result.high_ >= 0 ? std::optional(result) : std::nullopt;
  }
  for (const char* known : {"LeakyRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish", "Swish", "Mish", "Tanh", "Gelu"})
    if (name == known) result.row_ = simd::float_activation(name);
  if (result.row_ == nullptr) return std::nullopt;
  result.parameters_ = ops::read_activation(name, Positional{parameters});
  result.lifts_zero_ = name == "Sigmoid" || name == "HardSigmoid";
  return result;
}

void BlockEnd::apply(float* values, int64_t count, int64_t block, int64_t channels) const {
  if (row_ == nullptr) return;
  row_({{values}, {1}, values, count, &parameters_});
  if (!lifts_zero_ || channels >= block) return;
  for (int64_t at = 0; at < count; at += block) std::fill(values + at + channels, values + at + block, 0.0f);
}

void BlockEnd::finish(float* values, int64_t count) const {
  if (clamps_) row_functions().clamp(values, low_, high_, values, count);
  apply(values, count, 1, 1);
}

std::optional<BlockEnd> end_of_convolution(const Node& node) {
  return BlockEnd::find(node.get_string("activation"), node.get_floats("activation_params"));
}

std::optional<BlockEnd> end_of_product(const Node& node) {
  std::vector<float> parameters;
  if (node.has("activation_alpha")) parameters.push_back(node.get_float("activation_alpha", 0));
  if (node.has("activation_beta")) {
    if (parameters.empty()) return std::nullopt;
    parameters.push_back(node.get_float("activation_beta", 0));
  }
  return BlockEnd::find(node.get_string("activation"), parameters);
}

}  // namespace onnxrun::cpu
