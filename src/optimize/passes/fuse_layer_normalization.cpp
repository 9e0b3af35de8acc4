// Makes one LayerNormalization of (x - mean) / sqrt(variance + epsilon), and one RMSNormalization of x / sqrt(mean of squares + epsilon);
// fuse-normalization-scale then takes in what follows.
#include "optimize/deviation.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

MatchResult match_fuse_layer_normalization(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& root = graph.node(id);
  for (const Quotient& quotient : quotients(graph, root)) {
    const ir::Fact& fact = graph.value(quotient.numerator).fact;
    if (fact.dtype != ir::DType::kFloat32 || !fact.shape || fact.shape->empty() || !fact.shape->back().is_constant())
      continue;
    const Deviation divisor = deviation(graph, quotient.denominator);
    if (divisor.of != quotient.numerator || divisor.axes != std::vector<int64_t>{fact.rank() - 1}) continue;
    const ir::ValueId x = uncentred(graph, divisor.of, divisor.axes);
    const char* op = x != ir::kNone ? "LayerNormalization" : "RMSNormalization";
    ir::Patch patch(graph, "fuse normalization");
    const ir::ValueId scale = patch.constant(filled(fact.shape->back().value(), 1.0f), "scale");
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
