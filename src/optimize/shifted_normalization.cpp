// Reading normalizations that TensorFlow and Keras spell.
#include "optimize/shifted_normalization.h"

#include <span>

#include "optimize/deviation.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// bias - mean * r, or bias + (-mean) * r, or bias + -(mean * r), for the given mean and r.
ValueId bias_of(const Graph& graph, ValueId shift, ValueId mean, ValueId factor, std::vector<ir::NodeId>& nodes) {
  const auto is_product = [&](ValueId value, ValueId of) {
    const Node* product = made_by(graph, value, "Mul");
    if (product == nullptr || !read_once(graph, value) || other_input(*product, factor) != of) return false;
    nodes.push_back(product->id);
    return true;
  };
  const Node* sum = producer(graph, shift);
  if (sum == nullptr || !read_once(graph, shift)) return ir::kNone;
  nodes = {sum->id};
  if (is(*sum, "Sub")) return is_product(sum->inputs[1], mean) ? sum->inputs[0] : ir::kNone;
  if (!is(*sum, "Add")) return ir::kNone;
  for (size_t k = 0; k < 2; ++k) {
    const ValueId taken = sum->inputs[k], bias = sum->inputs[1 - k];
    if (const Node* negated = made_by(graph, taken, "Neg")) {
      nodes.push_back(negated->id);
      if (read_once(graph, taken) && is_product(negated->inputs[0], mean)) return bias;
    } else if (const Node* product = made_by(graph, taken, "Mul")) {
      const Node* opposite = made_by(graph, other_input(*product, factor), "Neg");
      if (opposite == nullptr || opposite->inputs[0] != mean || !read_once(graph, opposite->outputs[0])) continue;
      nodes.push_back(opposite->id);
      if (is_product(taken, opposite->outputs[0])) return bias;
    }
    nodes = {sum->id};
  }
  return ir::kNone;
}

// 1 / sqrt(variance + epsilon), times constant factors where there are some.
struct Factor {
  const base::Tensor* scale = nullptr;
  Deviation divisor;
  std::vector<ir::NodeId> nodes;
};

Factor factor_of(const Graph& graph, ValueId value, std::span<const int64_t> sizes) {
  Factor result;
  if (const Node* scaled = made_by(graph, value, "Mul")) {
    for (size_t k = 0; k < 2 && result.scale == nullptr; ++k)
      if ((result.scale = float_parameters(graph, scaled->inputs[k], sizes)) != nullptr) value = scaled->inputs[1 - k];
    if (result.scale == nullptr || !read_once(graph, value)) return result;
    result.nodes.push_back(scaled->id);
  }
  const Node* reciprocal = made_by(graph, value, "Reciprocal");
  if (reciprocal == nullptr) {
    reciprocal = made_by(graph, value, "Div");
    if (reciprocal == nullptr || number(graph, reciprocal->inputs[0]) != 1.0) return result;
  }
  result.nodes.push_back(reciprocal->id);
  result.divisor = deviation(graph, reciprocal->inputs.back());
  return result;
}

// The sizes of the last `count` axes; empty where one is not known.
std::vector<int64_t> last_sizes(const ir::Fact& fact, size_t count) {
  std::vector<int64_t> sizes;
  if (fact.dtype != ir::DType::kFloat32 || fact.rank() < static_cast<int64_t>(count)) return sizes;
  for (auto dim = fact.shape->end() - static_cast<std::ptrdiff_t>(count); dim != fact.shape->end(); ++dim) {
    if (!dim->is_constant()) return {};
    sizes.push_back(dim->value());
  }
  return sizes;
}

}  // namespace

std::optional<ShiftedNormalization> shifted_normalization(const Graph& graph, const Node& root, size_t parameter_axes) {
  if (!is(root, "Add")) return std::nullopt;
  const ir::Fact& fact = graph.value(root.outputs[0]).fact;
  const std::vector<int64_t> sizes = last_sizes(fact, parameter_axes);
  if (sizes.empty()) return std::nullopt;
  for (size_t k = 0; k < 2; ++k) {
    const Node* scaled = made_by(graph, root.inputs[k], "Mul");
    if (scaled == nullptr || !read_once(graph, root.inputs[k])) continue;
    for (size_t j = 0; j < 2; ++j) {
      const ValueId x = scaled->inputs[j], factor = scaled->inputs[1 - j];
      if (graph.value(factor).consumers.size() != 2 || graph.is_output(factor) ||
          !same_type_and_shape(graph.value(x).fact, fact))
        continue;
      const Factor found = factor_of(graph, factor, sizes);
      if (found.divisor.of == ir::kNone || uncentred(graph, found.divisor.of, found.divisor.axes) != x) continue;
      ShiftedNormalization result{x, found.divisor.axes, found.scale, nullptr, found.divisor.epsilon, {}};
      const ValueId mean = producer(graph, found.divisor.of)->inputs[1];
      result.bias = float_parameters(graph, bias_of(graph, root.inputs[1 - k], mean, factor, result.nodes), sizes);
      if (result.bias == nullptr) continue;
      result.nodes.insert(result.nodes.end(), {root.id, scaled->id});
      for (const std::vector<ir::NodeId>* list : {&found.nodes, &found.divisor.nodes})
        result.nodes.insert(result.nodes.end(), list->begin(), list->end());
      return result;
    }
  }
  return std::nullopt;
}

}  // namespace onnxrun::optimize
