// Takes a Mul or Add of channel constants after a BatchNormalization into its scale and bias.
#include "optimize/channel_affine.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

using ir::Graph;
using ir::Node;
using ir::ValueId;

MatchResult match_fold_scale_into_batch_normalization(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (!is(node, "BatchNormalization") || node.attributes.get_int("training_mode", 0) != 0)
    return MatchResult::none("no BatchNormalization for inference");
  const base::Tensor* scale = float_constant(graph, input(node, 1));
  const base::Tensor* bias = float_constant(graph, input(node, 2));
  const ValueId y = node.outputs[0];
  const int64_t rank = graph.value(y).fact.rank();
  if (scale == nullptr || bias == nullptr || bias->count() != scale->count() || rank < 2)
    return MatchResult::none("its parameters are not constant");
  const Node* reader = only_reader(graph, y);
  if (reader == nullptr) return MatchResult::none("not read once");
  const ChannelAffine affine = arithmetic_affine(graph, *reader, y, scale->count(), 1, rank);
  if (!affine) return MatchResult::none("no channel constants follow");
  base::Tensor scaled = scale->clone(), shifted = bias->clone();
  for (size_t c = 0; c < affine.scale.size(); ++c) {
    scaled.mutable_data<float>()[c] *= affine.scale[c];
    shifted.mutable_data<float>()[c] = shifted.mutable_data<float>()[c] * affine.scale[c] + affine.shift[c];
  }
  if (!is_finite(scaled) || !is_finite(shifted)) return MatchResult::none("its parameters would not be finite");
  ir::Patch patch(graph, "fold into a normalization");
  std::vector<ValueId> inputs = node.inputs;
  inputs[1] = patch.constant(std::move(scaled), graph.value(node.inputs[1]).name);
  inputs[2] = patch.constant(std::move(shifted), graph.value(node.inputs[2]).name);
  patch.replace(reader->outputs[0], patch.emit(node.op, std::move(inputs), node.attributes, node.name));
  patch.remove(id);
  patch.remove(reader->id);
  return patch;
}

}  // namespace onnxrun::optimize
