// Lets a constant be added to, or multiplied with, what a Reshape reads that splits its last axis, whatever it does with the others: a bias of heads meets the
// product that made them.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;

// How many of the last axes of `to`, of known sizes, the last one of `from` is split into; 0 where it is not, or not split.
size_t split_axes(const ir::Shape& from, const ir::Shape& to) {
  if (from.empty() || !from.back().is_constant() || from.back().value() < 1) return 0;
  int64_t left = from.back().value();
  for (size_t tail = 1; tail <= to.size(); ++tail) {
    const ir::Dim& dim = to[to.size() - tail];
    if (!dim.is_constant() || dim.value() < 1 || left % dim.value() != 0) return 0;
    left /= dim.value();
    if (left == 1) return tail > 1 ? tail : 0;
  }
  return 0;
}

// The constant as it fits what was not split yet; empty where it does not.
base::Tensor unsplit(const base::Tensor& value, const ir::Shape& to, size_t tail, int64_t size) {
  if (value.count() == 1) return value.reshaped({});
  const size_t rank = value.dims().size(), leading = to.size() - tail;
  if (value.count() != size || rank < tail || rank > to.size()) return {};
  for (size_t d = 0; d < tail; ++d)
    if (to[leading + d] != ir::Dim(value.dims()[rank - tail + d])) return {};
  return value.reshaped({size});
}

}  // namespace

MatchResult match_compute_before_reshape(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (!is(node, "Add") && !is(node, "Mul") && !is(node, "Sub") && !is(node, "Div"))
    return MatchResult::none("no arithmetic");
  for (size_t k = 0; k < 2; ++k) {
    const Node* reshape = made_by(graph, node.inputs[k], "Reshape");
    const base::Tensor* value = constant(graph, node.inputs[1 - k]);
    if (reshape == nullptr || value == nullptr || !read_once(graph, node.inputs[k])) continue;
    const ir::Fact &from = graph.value(reshape->inputs[0]).fact, &to = graph.value(reshape->outputs[0]).fact;
    // What else reads the value would then be computed beside it.
    if (!from.shape || !to.shape || !read_once(graph, reshape->inputs[0]) ||
        !same_type_and_shape(to, graph.value(node.outputs[0]).fact))
      continue;
    const size_t tail = split_axes(*from.shape, *to.shape);
    if (tail == 0) continue;
    const base::Tensor row = unsplit(*value, *to.shape, tail, from.shape->back().value());
    if (!row) continue;
    ir::Patch patch(graph, "compute before a Reshape");
    std::vector<ir::ValueId> inputs{reshape->inputs[0], reshape->inputs[0]};
    inputs[1 - k] = patch.constant(row, graph.value(node.inputs[1 - k]).name);
    const ir::ValueId result = patch.emit(node.op, std::move(inputs), node.attributes, node.name);
    patch.replace(node.outputs[0],
                  patch.emit(reshape->op, {result, reshape->inputs[1]}, reshape->attributes, reshape->name));
    patch.remove(id);
    patch.remove(reshape->id);
    return patch;
  }
  return MatchResult::none("no constant after a Reshape that splits the last axis");
}

}  // namespace onnxrun::optimize
