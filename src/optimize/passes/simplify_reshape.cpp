// Gives a Reshape whose result's shape is known, but for one dim at most, a constant for a shape that is computed.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_simplify_reshape(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "Reshape")) return MatchResult::none("no Reshape");
  if (constant(graph, node.inputs[1]) != nullptr) return MatchResult::none("its shape is a constant");
  const auto& from = graph.value(node.inputs[0]).fact.shape;
  const auto& to = graph.value(node.outputs[0]).fact.shape;
  const auto& asked = graph.value(node.inputs[1]).fact.elements;
  if (!from || !to) return MatchResult::none("a rank is not known");
  std::vector<int64_t> target;
  size_t open = 0;
  bool copies = false;
  for (size_t i = 0; i < to->size(); ++i) {
    const ir::Dim& dim = (*to)[i];
    if (dim.is_constant()) {
      // A zero would be read as the copy of a dim.
      if (dim.value() == 0) return MatchResult::none("it is empty");
      target.push_back(dim.value());
    } else if (i < from->size() && dim == (*from)[i]) {
      target.push_back(0);
      copies = true;
    } else {
      target.push_back(-1);
      if (++open > 1) return MatchResult::none("two dims are open");
    }
  }
  // Beside a copied dim of 0, an open one says nothing; then it must have been open before.
  const auto was_open = [&](const ir::Dim& dim) { return dim.is_constant() && dim.value() == -1; };
  if (open == 1 && copies && !(asked && std::ranges::any_of(*asked, was_open)))
    return MatchResult::none("an open dim beside a copied one");
  ir::Patch patch(graph, "make the shape of a Reshape a constant");
  const ir::ValueId shape = patch.constant(base::Tensor::vector<int64_t>(target), "shape");
  patch.replace(node.outputs[0], patch.emit(node.op, {node.inputs[0], shape}, {}, node.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
