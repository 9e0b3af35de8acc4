// Gives a Reshape whose result's shape is known, but for one dim at most, a constant for a shape that is computed.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

// Whether so many elements can take a shape of one open dim (-1) at most, and no copied one.
bool fills(int64_t elements, const std::vector<int64_t>& shape) {
  int64_t known = 1;
  bool open = false;
  for (const int64_t dim : shape) {
    open = open || dim == -1;
    if (dim != -1 && __builtin_mul_overflow(known, dim, &known)) return false;
  }
  return open ? elements % known == 0 : elements == known;
}

}  // namespace

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
  // A model that asks for more or fewer elements than there are is left for its run to refuse.
  const ir::Dim elements = ir::element_count(*from);
  if (!copies && elements.is_constant() && !fills(elements.value(), target))
    return MatchResult::none("its elements cannot take the shape");
  ir::Patch patch(graph, "make the shape of a Reshape a constant");
  const ir::ValueId shape = patch.constant(base::Tensor::vector<int64_t>(target), "shape");
  patch.replace(node.outputs[0], patch.emit(node.op, {node.inputs[0], shape}, {}, node.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
