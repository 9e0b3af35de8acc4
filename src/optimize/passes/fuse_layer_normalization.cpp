// Makes one LayerNormalization of (x - mean) / sqrt(variance + epsilon), and one RMSNormalization of x / sqrt(mean of squares + epsilon), also where the
// divisor is multiplied with a row first; fuse-normalization-scale then takes in what follows.
#include "optimize/deviation.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {
namespace {

struct ScaledQuotient {
  Quotient quotient;
  base::Tensor scale;  // none: 1
};

// What `node` divides by what: also a * (1 / b * row), where the row is constant.
std::vector<ScaledQuotient> scaled_quotients(const ir::Graph& graph, const ir::Node& node) {
  std::vector<ScaledQuotient> result;
  for (Quotient& quotient : quotients(graph, node)) result.push_back({std::move(quotient), {}});
  if (!is(node, "Mul")) return result;
  for (size_t k = 0; k < 2; ++k) {
    const ir::Node* scaled = made_by(graph, node.inputs[k], "Mul");
    if (scaled == nullptr || !read_once(graph, node.inputs[k])) continue;
    for (size_t j = 0; j < 2; ++j) {
      const base::Tensor* row = float_constant(graph, scaled->inputs[j]);
      if (row == nullptr || row->rank() < 1) continue;
      row = float_parameters(graph, scaled->inputs[j], {&row->dims().back(), 1});
      const ir::Node* reciprocal = made_by(graph, scaled->inputs[1 - j], "Reciprocal");
      if (row == nullptr || reciprocal == nullptr || !read_once(graph, reciprocal->outputs[0])) continue;
      result.push_back({{node.inputs[1 - k], reciprocal->inputs[0], {node.id, scaled->id, reciprocal->id}},
                        row->reshaped({row->count()})});
    }
  }
  return result;
}

}  // namespace

MatchResult match_fuse_layer_normalization(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& root = graph.node(id);
  for (const auto& [quotient, row] : scaled_quotients(graph, root)) {
    const ir::Fact& fact = graph.value(quotient.numerator).fact;
    if (fact.dtype != ir::DType::kFloat32 || !same_type_and_rank(fact, graph.value(root.outputs[0]).fact) ||
        fact.shape->empty() || !fact.shape->back().is_constant())
      continue;
    if (row && ir::Dim(row.count()) != fact.shape->back()) continue;
    if (!row && fact.shape->back().value() > context.max_folded_bytes / 4) continue;
    const Deviation divisor = deviation(graph, quotient.denominator);
    if (divisor.axes != std::vector<int64_t>{fact.rank() - 1}) continue;
    const ir::ValueId x = uncentred(graph, quotient.numerator, divisor.axes);
    if (divisor.of != (divisor.centres ? x : quotient.numerator)) continue;
    const char* op = x != ir::kNone ? "LayerNormalization" : "RMSNormalization";
    ir::Patch patch(graph, "fuse normalization");
    const ir::ValueId scale = patch.constant(row ? row : filled(fact.shape->back().value(), 1.0f), "scale");
    patch.replace(root.outputs[0],
                  patch.emit(context.table.find("", op), {x != ir::kNone ? x : divisor.of, scale},
                             {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(divisor.epsilon)}}));
    for (const auto* nodes : {&quotient.nodes, &divisor.nodes})
      for (const ir::NodeId node : *nodes) patch.remove(node);
    return patch;
  }
  return MatchResult::none("no row divided by its deviation");
}

}  // namespace onnxrun::optimize
