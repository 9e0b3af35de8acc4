// Makes one InstanceNormalization of (x - mean) / sqrt(variance + epsilon) over all axes after the second, with the factors and shifts of channels after it.
#include <algorithm>

#include "optimize/channel_affine.h"
#include "optimize/deviation.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

MatchResult match_fuse_instance_normalization(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& root = graph.node(id);
  for (const Quotient& quotient : quotients(graph, root)) {
    const ir::Fact& fact = graph.value(quotient.numerator).fact;
    if (fact.dtype != ir::DType::kFloat32 || fact.rank() < 4 ||
        !same_type_and_rank(fact, graph.value(root.outputs[0]).fact) || !(*fact.shape)[1].is_constant() ||
        (*fact.shape)[1].value() < 1)
      continue;
    std::vector<int64_t> places;
    for (int64_t axis = 2; axis < fact.rank(); ++axis) places.push_back(axis);
    const Deviation divisor = deviation(graph, quotient.denominator);
    if (divisor.of != quotient.numerator || divisor.axes != places) continue;
    const ir::ValueId x = uncentred(graph, divisor.of, divisor.axes);
    if (x == ir::kNone) continue;
    ir::Patch patch(graph, "fuse InstanceNormalization");
    const int64_t channels = (*fact.shape)[1].value();
    if (channels > context.max_folded_bytes / 4) continue;
    base::Tensor scale = filled(channels, 1.0f), shift = filled(channels, 0.0f);
    ir::ValueId end = root.outputs[0];
    // A Mul, then an Add.
    for (const char* wanted : {"Mul", "Add"}) {
      const ir::Node* reader = only_reader(graph, end);
      if (reader == nullptr || !is(*reader, wanted)) continue;
      const ChannelAffine affine = arithmetic_affine(graph, *reader, end, channels, 1, fact.rank());
      if (!affine) break;
      for (int64_t c = 0; c < channels; ++c) {
        scale.mutable_data<float>()[c] *= affine.scale[static_cast<size_t>(c)];
        shift.mutable_data<float>()[c] += affine.shift[static_cast<size_t>(c)];
      }
      patch.remove(reader->id);
      end = reader->outputs[0];
    }
    patch.replace(end,
                  patch.emit(context.table.find("", "InstanceNormalization"),
                             {x, patch.constant(std::move(scale), "scale"), patch.constant(std::move(shift), "bias")},
                             {{"epsilon", static_cast<float>(divisor.epsilon)}}));
    for (const auto* nodes : {&quotient.nodes, &divisor.nodes})
      for (const ir::NodeId node : *nodes) patch.remove(node);
    return patch;
  }
  return MatchResult::none("no channel divided by its deviation");
}

}  // namespace onnxrun::optimize
