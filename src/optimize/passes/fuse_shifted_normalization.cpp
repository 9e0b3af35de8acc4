// Makes one LayerNormalization of rows that are scaled and shifted by their statistics, as TensorFlow and Keras write it.
#include "optimize/pipeline.h"
#include "optimize/shifted_normalization.h"

namespace onnxrun::optimize {

MatchResult match_fuse_shifted_normalization(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const auto found = shifted_normalization(graph, graph.node(id), 1);
  if (!found) return MatchResult::none("no row scaled and shifted by its statistics");
  if (found->axes != std::vector<int64_t>{graph.value(found->x).fact.rank() - 1})
    return MatchResult::none("statistics of other axes than the last");
  ir::Patch patch(graph, "fuse normalization");
  const int64_t length = found->bias->count();
  const ir::ValueId scale =
      patch.constant(found->scale != nullptr ? found->scale->reshaped({length}) : filled(length, 1.0f), "scale");
  patch.replace(graph.node(id).outputs[0],
                patch.emit(context.table.find("", "LayerNormalization"),
                           {found->x, scale, patch.constant(found->bias->reshaped({length}), "bias")},
                           {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(found->epsilon)}}));
  for (const ir::NodeId node : found->nodes) patch.remove(node);
  return patch;
}

}  // namespace onnxrun::optimize
