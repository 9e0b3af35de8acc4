// Makes one HardSigmoid of clip(x + 3, 0, 6) / 6.
#include "optimize/algebra.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

MatchResult match_fuse_hard_sigmoid(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& root = graph.node(id);
  if (!is(root, "Mul") && !is(root, "Div")) return MatchResult::none("no product");
  // A sixth as an attribute is one of float32.
  if (graph.value(root.outputs[0]).fact.dtype == ir::DType::kFloat64) return MatchResult::none("float64");
  const Product sixth = product(graph, root.outputs[0]);
  if (sixth.factors.size() != 1 || !stands_for(sixth.number, 1.0 / 6, graph.value(root.outputs[0]).fact.dtype))
    return MatchResult::none("not a sixth");
  const ir::Node* clip = made_by(graph, sixth.factors[0], "Clip");
  if (clip == nullptr || !read_once(graph, clip->outputs[0])) return MatchResult::none("not of a Clip read here only");
  const auto low = number(graph, input(*clip, 1)), high = number(graph, input(*clip, 2));
  if (!low || !high || *low != 0 || *high != 6) return MatchResult::none("not clipped to 0 and 6");
  if (!read_once(graph, clip->inputs[0])) return MatchResult::none("what is clipped is read elsewhere");
  const Sum shifted = sum(graph, clip->inputs[0]);
  if (shifted.number != 3 || shifted.terms.size() != 1) return MatchResult::none("not x + 3");
  const ir::ValueId x = shifted.terms[0];
  if (!same_type_and_rank(graph.value(x).fact, graph.value(root.outputs[0]).fact))
    return MatchResult::none("shapes that broadcast");
  ir::Patch patch(graph, "fuse HardSigmoid");
  patch.replace(root.outputs[0],
                patch.emit(context.table.find("", "HardSigmoid"), {x}, {{"alpha", 1.0f / 6}, {"beta", 0.5f}}));
  for (const ir::NodeId node : sixth.nodes) patch.remove(node);
  patch.remove(clip->id);
  for (const ir::NodeId node : shifted.nodes) patch.remove(node);
  return patch;
}

}  // namespace onnxrun::optimize
