// Takes a Mul and an Add of row constants after a LayerNormalization or RMSNormalization into its scale and bias.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;

MatchResult match_fuse_normalization_scale(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& norm = graph.node(id);
  const bool layer = is(norm, "LayerNormalization");
  if (!layer && !is(norm, "RMSNormalization")) return MatchResult::none("no normalization of rows");
  if (norm.outputs.size() > 1) return MatchResult::none("its statistics are read");
  const ir::Fact& fact = graph.value(norm.outputs[0]).fact;
  const int64_t axis = norm.attributes.get_int("axis", -1);
  if (fact.rank() < 1 || (axis != -1 && axis != fact.rank() - 1)) return MatchResult::none("not along the last axis");
  const Tensor* scale = float_constant(graph, norm.inputs[1]);
  if (scale == nullptr || scale->rank() != 1) return MatchResult::none("its scale is not constant");
  const Node* reader = only_reader(graph, norm.outputs[0]);
  if (reader == nullptr) return MatchResult::none("not read once");
  const bool has_bias = input(norm, 2) != ir::kNone;
  const Tensor* row = float_parameters(graph, other_input(*reader, norm.outputs[0]), scale->dims());
  if (row == nullptr || row->rank() > fact.rank()) return MatchResult::none("no row constant follows");
  ir::Patch patch(graph, "fuse scale or bias into a normalization");
  std::vector<ValueId> inputs = norm.inputs;
  if (is(*reader, "Mul") && !has_bias) {
    Tensor product = scale->clone();
    for (int64_t i = 0; i < product.count(); ++i) product.mutable_data<float>()[i] *= row->data<float>()[i];
    if (!is_finite(product)) return MatchResult::none("its scale would not be finite");
    inputs[1] = patch.constant(std::move(product), "scale");
  } else if (is(*reader, "Add") && !has_bias && layer) {
    inputs.resize(3, ir::kNone);
    inputs[2] = patch.constant(row->reshaped({row->count()}), "bias");
  } else {
    return MatchResult::none("no Mul or Add follows");
  }
  patch.replace(reader->outputs[0], patch.emit(norm.op, std::move(inputs), norm.attributes));
  patch.remove(norm.id);
  patch.remove(reader->id);
  return patch;
}

}  // namespace onnxrun::optimize
