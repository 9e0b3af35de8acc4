// Reading channel constants.
#include "optimize/channel_affine.h"

#include <cmath>

#include "optimize/reading.h"

namespace onnxrun::optimize {

using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;

ChannelAffine batch_normalization_affine(const Graph& graph, const Node& node, int64_t channels) {
  ChannelAffine result;
  if (!is(node, "BatchNormalization")) return result;
  if (node.attributes.get_int("training_mode", 0) != 0 || node.outputs.size() > 1) return result;
  Tensor parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    const Tensor* known = constant(graph, input(node, i + 1));
    if (known == nullptr || widened_type(known->dtype()) != base::DType::kFloat32 || known->count() != channels)
      return result;
    parameters[i] = as_float(*known);
  }
  const double epsilon = static_cast<double>(node.attributes.get_float("epsilon", 1e-5f));
  for (int64_t c = 0; c < channels; ++c) {
    const auto at = [&](size_t i) { return static_cast<double>(parameters[i].data<float>()[c]); };
    const double scale = at(0) / std::sqrt(at(3) + epsilon);
    result.scale.push_back(static_cast<float>(scale));
    result.shift.push_back(static_cast<float>(at(1) - at(2) * scale));
  }
  return result;
}

ChannelAffine arithmetic_affine(const Graph& graph, const Node& node, ValueId x, int64_t channels, int64_t axis,
                                int64_t rank) {
  ChannelAffine result;
  if (!is(node, "Mul") && !is(node, "Add")) return result;
  const Tensor* operand = float_constant(graph, other_input(node, x));
  if (operand == nullptr || operand->rank() > rank) return result;
  if (operand->count() != 1) {
    const int64_t at = axis - (rank - operand->rank());
    if (operand->count() != channels || at < 0 || operand->dims()[static_cast<size_t>(at)] != channels) return result;
  }
  const bool multiplies = is(node, "Mul");
  for (int64_t c = 0; c < channels; ++c) {
    const float value = operand->data<float>()[operand->count() == 1 ? 0 : c];
    result.scale.push_back(multiplies ? value : 1.0f);
    result.shift.push_back(multiplies ? 0.0f : value);
  }
  return result;
}

}  // namespace onnxrun::optimize
