// Makes one LayerNormalization of x * r + (bias - mean * r), where r is the scale over the deviation, as TensorFlow and Keras write it.
#include "optimize/deviation.h"
#include "optimize/pipeline.h"

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

// A float32 constant of one row, with any leading dims of 1.
const base::Tensor* row(const Graph& graph, ValueId value, int64_t length) {
  const base::Tensor* tensor = float_constant(graph, value);
  return tensor != nullptr && tensor->rank() >= 1 && tensor->count() == length && tensor->dims().back() == length
             ? tensor
             : nullptr;
}

// 1 / sqrt(variance + epsilon), times a constant row where there is one.
struct Factor {
  const base::Tensor* scale = nullptr;
  Deviation divisor;
  std::vector<ir::NodeId> nodes;
};

Factor factor_of(const Graph& graph, ValueId value, int64_t length) {
  Factor result;
  if (const Node* scaled = made_by(graph, value, "Mul")) {
    for (size_t k = 0; k < 2 && result.scale == nullptr; ++k)
      if ((result.scale = row(graph, scaled->inputs[k], length)) != nullptr) value = scaled->inputs[1 - k];
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

}  // namespace

MatchResult match_fuse_shifted_normalization(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& root = graph.node(id);
  const ir::Fact& fact = graph.value(root.outputs[0]).fact;
  if (!is(root, "Add") || fact.dtype != ir::DType::kFloat32 || fact.rank() < 1 || !fact.shape->back().is_constant())
    return MatchResult::none("no sum of float32");
  const int64_t length = fact.shape->back().value();
  for (size_t k = 0; k < 2; ++k) {
    const Node* scaled = made_by(graph, root.inputs[k], "Mul");
    if (scaled == nullptr || !read_once(graph, root.inputs[k])) continue;
    for (size_t j = 0; j < 2; ++j) {
      const ValueId x = scaled->inputs[j], factor = scaled->inputs[1 - j];
      if (graph.value(factor).consumers.size() != 2 || graph.is_output(factor) ||
          !same_type_and_shape(graph.value(x).fact, fact))
        continue;
      const Factor found = factor_of(graph, factor, length);
      if (found.divisor.of == ir::kNone || found.divisor.axes != std::vector<int64_t>{fact.rank() - 1} ||
          uncentred(graph, found.divisor.of, found.divisor.axes) != x)
        continue;
      const ValueId mean = producer(graph, found.divisor.of)->inputs[1];
      std::vector<ir::NodeId> nodes;
      const base::Tensor* bias = row(graph, bias_of(graph, root.inputs[1 - k], mean, factor, nodes), length);
      if (bias == nullptr) continue;
      ir::Patch patch(graph, "fuse normalization");
      const ValueId scale =
          patch.constant(found.scale != nullptr ? found.scale->reshaped({length}) : filled(length, 1.0f), "scale");
      patch.replace(root.outputs[0],
                    patch.emit(context.table.find("", "LayerNormalization"),
                               {x, scale, patch.constant(bias->reshaped({length}), "bias")},
                               {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(found.divisor.epsilon)}}));
      nodes.insert(nodes.end(), {id, scaled->id});
      for (const auto* list :
           std::initializer_list<const std::vector<ir::NodeId>*>{&nodes, &found.nodes, &found.divisor.nodes})
        for (const ir::NodeId node : *list) patch.remove(node);
      return patch;
    }
  }
  return MatchResult::none("no row scaled and shifted by its statistics");
}

}  // namespace onnxrun::optimize
