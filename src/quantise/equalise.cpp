// Pairs of convolutions and their scales.
#include "quantise/equalise.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "optimize/reading.h"

namespace onnxrun::quantise {

using base::Tensor;
using ir::NodeId;
using ir::ValueId;

namespace {

constexpr int kRounds = 3;  // a convolution between two others is of two pairs
constexpr double kLargest = 1e3;

struct Pair {
  NodeId first, second;
  bool depthwise = false;  // the second has a filter for each channel
};

// f(s x) = s f(x) for every s > 0, channel by channel.
bool is_homogeneous(const ir::Node& node) {
  for (const std::string_view op :
       {"Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"})
    if (optimize::is(node, op)) return node.outputs.size() == 1;
  return false;
}

const Tensor* weight_of(const Work& work, const ir::Node& node) {
  const Tensor* weight = optimize::float_constant(work.graph, node.inputs[1]);
  return weight != nullptr && weight->rank() >= 3 && weight->count() > 0 ? weight : nullptr;
}

std::optional<Pair> pair_from(Work& work, const ir::Node& first) {
  const ir::Graph& graph = work.graph;
  const Tensor* weight = weight_of(work, first);
  const ValueId bias = optimize::input(first, 2);
  if (weight == nullptr || (bias != ir::kNone && optimize::float_constant(graph, bias) == nullptr)) return std::nullopt;
  const int64_t channels = weight->dims()[0];
  if (bias != ir::kNone && optimize::float_constant(graph, bias)->dims() != base::Dims{channels}) return std::nullopt;
  const ir::Node* next = &first;
  do {
    next = optimize::only_reader(graph, next->outputs[0]);
    if (next == nullptr) return std::nullopt;
  } while (is_homogeneous(*next));
  if (!optimize::is(*next, "Conv") || next->inputs[0] == ir::kNone || next->id == first.id) return std::nullopt;
  const Tensor* second = weight_of(work, *next);
  if (second == nullptr) return std::nullopt;
  const int64_t inputs = second->dims()[1];
  const bool depthwise = inputs == 1 && second->dims()[0] == channels && channels > 1;
  if (!depthwise && inputs != channels) return std::nullopt;  // other groups
  return Pair{first.id, next->id, depthwise};
}

// Channel c of the axis as its greatest magnitude.
std::vector<float> largest(const Tensor& weight, bool of_inputs) {
  const auto rows = static_cast<size_t>(weight.dims()[0]), inputs = static_cast<size_t>(weight.dims()[1]);
  const size_t taps = rows * inputs == 0 ? 0 : static_cast<size_t>(weight.count()) / (rows * inputs);
  std::vector<float> result(of_inputs ? inputs : rows, 0);
  const float* from = weight.data<float>();
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < inputs; ++c)
      for (size_t t = 0; t < taps; ++t) {
        float& place = result[of_inputs ? c : r];
        place = std::max(place, std::abs(from[(r * inputs + c) * taps + t]));
      }
  return result;
}

ValueId scaled(Work& work, ValueId value, std::span<const float> scales, bool of_inputs) {
  Tensor result = optimize::constant(work.graph, value)->clone();
  const size_t rows = static_cast<size_t>(result.dims()[0]);
  const size_t inputs = of_inputs ? static_cast<size_t>(result.dims()[1]) : 1;
  const size_t taps = static_cast<size_t>(result.count()) / (rows * inputs);
  float* to = result.mutable_data<float>();
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < inputs; ++c)
      for (size_t t = 0; t < taps; ++t) to[(r * inputs + c) * taps + t] *= scales[of_inputs ? c : r];
  return work.graph.add_constant(std::move(result), work.graph.fresh_name(work.graph.value(value).name));
}

void scale(Work& work, const Pair& pair) {
  const ir::Node &first = work.graph.node(pair.first), &second = work.graph.node(pair.second);
  const std::vector<float> made = largest(*weight_of(work, first), false),
                           read = largest(*weight_of(work, second), !pair.depthwise);
  std::vector<float> down(made.size(), 1), up(made.size(), 1);
  for (size_t c = 0; c < made.size(); ++c) {
    const double ratio = std::sqrt(double{read[c]} / made[c]);
    // Channels of zeros keep what they are.
    if (!std::isfinite(ratio) || ratio == 0) continue;
    down[c] = static_cast<float>(std::clamp(ratio, 1 / kLargest, kLargest));
    up[c] = 1 / down[c];
  }
  const ValueId bias = optimize::input(first, 2);
  const ValueId first_weight = scaled(work, first.inputs[1], down, false);
  const ValueId first_bias = bias == ir::kNone ? ir::kNone : scaled(work, bias, down, false);
  const ValueId second_weight = scaled(work, second.inputs[1], up, !pair.depthwise);
  ir::Patch patch(work.graph, "equal channels between two convolutions");
  patch.set_input(pair.first, 1, first_weight);
  if (bias != ir::kNone) patch.set_input(pair.first, 2, first_bias);
  patch.set_input(pair.second, 1, second_weight);
  work.apply(std::move(patch));
}

}  // namespace

size_t equalise(Work& work) {
  std::vector<Pair> pairs;
  for (const NodeId id : work.graph.topological_order()) {
    const ir::Node& node = work.graph.node(id);
    if (!optimize::is(node, "Conv")) continue;
    const std::optional<Pair> pair = pair_from(work, node);
    if (pair && is_chosen(work, node) && is_chosen(work, work.graph.node(pair->second))) pairs.push_back(*pair);
  }
  for (int round = 0; round < kRounds; ++round)
    for (const Pair& pair : pairs) scale(work, pair);
  return pairs.size();
}

}  // namespace onnxrun::quantise
