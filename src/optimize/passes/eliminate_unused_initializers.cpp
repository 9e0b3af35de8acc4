// Removes constants that nobody reads.
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

MatchResult match_eliminate_unused_initializers(const PassContext& context) {
  const ir::Graph& graph = context.graph;
  ir::Patch patch(graph, "remove unread constants");
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::Value& value = graph.value(id);
    if (!value.removed && value.producer == ir::kNone && value.fact.constant && !value.is_input &&
        value.outer == ir::kNone && value.consumers.empty() && !graph.is_output(id))
      patch.drop(id);
  }
  if (patch.empty()) return MatchResult::none("all constants are read");
  return patch;
}

}  // namespace onnxrun::optimize
