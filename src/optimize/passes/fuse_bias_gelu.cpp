// Makes one BiasGelu, or FastGelu, of a Gelu of x and a constant row.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_fuse_bias_gelu(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& gelu = graph.node(id);
  if (!is(gelu, "Gelu")) return MatchResult::none("no Gelu");
  const ir::Node* add = made_by(graph, gelu.inputs[0], "Add");
  if (add == nullptr || !read_once(graph, gelu.inputs[0])) return MatchResult::none("not of a sum that is read once");
  const ir::Fact& sum = graph.value(gelu.inputs[0]).fact;
  for (size_t k = 0; k < 2; ++k) {
    const ir::ValueId x = add->inputs[1 - k];
    const base::Tensor* row = float_constant(graph, add->inputs[k]);
    if (row == nullptr || row->rank() != 1 || sum.rank() < 1 || sum.shape->back() != ir::Dim(row->count()) ||
        !same_type_and_rank(graph.value(x).fact, sum) || graph.value(x).fact.shape->back() != sum.shape->back())
      continue;
    const bool by_tanh = gelu.attributes.get_string("approximate", "none") == "tanh";
    ir::Node fused;
    fused.op = context.table.find("com.microsoft", by_tanh ? "FastGelu" : "BiasGelu");
    fused.inputs = {x, add->inputs[k]};
    fused.outputs = gelu.outputs;
    if (context.capabilities == nullptr || !context.capabilities->accepts(graph, fused))
      return MatchResult::none("no kernel takes it");
    ir::Patch patch(graph, "fuse the bias of a Gelu");
    patch.replace(gelu.outputs[0], patch.emit(fused.op, fused.inputs, {}, gelu.name));
    patch.remove(id);
    patch.remove(add->id);
    return patch;
  }
  return MatchResult::none("not of a constant row");
}

}  // namespace onnxrun::optimize
