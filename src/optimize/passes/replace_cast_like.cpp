// Makes a Cast of a CastLike, whose type is known: other passes then see a number where a number is cast.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_replace_cast_like(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "CastLike")) return MatchResult::none("no CastLike");
  const ir::DType type = graph.value(node.outputs[0]).fact.dtype;
  if (type == ir::DType::kNone) return MatchResult::none("its type is not known");
  ir::Attributes attributes = node.attributes;
  attributes.set("to", static_cast<int64_t>(type));
  ir::Patch patch(graph, "name the type of a Cast");
  patch.replace(node.outputs[0],
                patch.emit(context.table.find("", "Cast"), {node.inputs[0]}, std::move(attributes), node.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
