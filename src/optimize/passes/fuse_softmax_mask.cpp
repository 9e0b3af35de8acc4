// Makes one MaskedSoftmax of a Softmax along the last axis and the addition before it.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_fuse_softmax_mask(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& softmax = graph.node(id);
  if (!is(softmax, "Softmax") || context.capabilities == nullptr) return MatchResult::none("no Softmax");
  const ir::Node* add = made_by(graph, softmax.inputs[0], "Add");
  if (add == nullptr || !read_once(graph, softmax.inputs[0]))
    return MatchResult::none("not of a sum that is read once");
  const ir::Fact& sum = graph.value(softmax.inputs[0]).fact;
  const int64_t axis = softmax.attributes.get_int("axis", -1);
  if (sum.dtype != ir::DType::kFloat32 || sum.rank() < 1 || (axis != -1 && axis != sum.rank() - 1))
    return MatchResult::none("not along the last axis of float32");
  for (size_t k = 0; k < 2; ++k) {
    const ir::ValueId x = add->inputs[k], mask = add->inputs[1 - k];
    if (!same_type_and_shape(graph.value(x).fact, sum) || graph.value(mask).fact.rank() < 0) continue;
    ir::Node fused;
    fused.op = context.table.find("onnxrun", "MaskedSoftmax");
    fused.inputs = {x, mask};
    fused.outputs = softmax.outputs;
    if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
    ir::Patch patch(graph, "fuse the mask of a Softmax");
    patch.replace(softmax.outputs[0], patch.emit(fused.op, fused.inputs, {}, softmax.name));
    patch.remove(id);
    patch.remove(add->id);
    return patch;
  }
  return MatchResult::none("the sum broadcasts");
}

}  // namespace onnxrun::optimize
