// Puts the branch of an If whose condition is known in its place.
#include "optimize/inlining.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_inline_if(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "If")) return MatchResult::none("no If");
  const base::Tensor* condition = constant(graph, node.inputs[0]);
  if (condition == nullptr || condition->dtype() != base::DType::kBool || condition->count() != 1)
    return MatchResult::none("the condition is not known");
  const ir::Graph* branch = node.body(*condition->data<bool>() ? "then_branch" : "else_branch");
  if (branch == nullptr || branch->outputs().size() != node.outputs.size())
    return MatchResult::none("the branch does not fit");
  ir::Patch patch(graph, "inline the branch that is taken");
  replace_node(context, patch, node, inline_body(patch, *branch, {}));
  return patch;
}

}  // namespace onnxrun::optimize
