// Makes one GroupNormalization of what groups are exported as: an InstanceNormalization between two Reshapes, with the factors and shifts of channels after it, or,
// by Keras, of groups of the last axis that are scaled and shifted by their statistics.
#include <algorithm>

#include "optimize/channel_affine.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"
#include "optimize/shifted_normalization.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Node;
using ir::ValueId;

bool all_equal(const Tensor* tensor, float wanted) {
  return tensor != nullptr && std::ranges::all_of(tensor->span<float>(), [&](float v) { return v == wanted; });
}

Tensor vector_of(const std::vector<float>& values) {
  Tensor tensor(base::DType::kFloat32, {static_cast<int64_t>(values.size())});
  std::ranges::copy(values, tensor.mutable_data<float>());
  return tensor;
}

// [batch, d..., channels] seen as [batch, d..., groups, channels / groups] and back.
MatchResult match_last_axis(const PassContext& context, const Node& last, const Node& sum) {
  const ir::Graph& graph = context.graph;
  const auto found = shifted_normalization(graph, sum, 2);
  if (!found) return MatchResult::none("no groups scaled and shifted by their statistics");
  const Node* first = made_by(graph, found->x, "Reshape");
  if (first == nullptr || graph.is_output(found->x)) return MatchResult::none("not of a Reshape before it");
  const ir::Fact &x = graph.value(first->inputs[0]).fact, &groups = graph.value(found->x).fact;
  const int64_t rank = x.rank(), channels = found->bias->count();
  std::vector<int64_t> axes;
  for (int64_t axis = 1; axis <= rank; ++axis)
    if (axis != rank - 1) axes.push_back(axis);
  if (rank < 3 || groups.rank() != rank + 1 || !same_type_and_shape(x, graph.value(last.outputs[0]).fact) ||
      (*x.shape)[static_cast<size_t>(rank) - 1] != ir::Dim(channels) ||
      !std::equal(x.shape->begin(), x.shape->end() - 1, groups.shape->begin()) || found->axes != axes)
    return MatchResult::none("not groups of the last axis");
  std::vector<int64_t> forth{0, rank - 1}, back{0};
  for (int64_t axis = 1; axis < rank; ++axis) back.push_back(axis + 1);
  back.back() = 1;
  for (int64_t axis = 1; axis < rank - 1; ++axis) forth.push_back(axis);
  ir::Patch patch(graph, "fuse GroupNormalization");
  const ir::OpDef* transpose = context.table.find("", "Transpose");
  const ValueId scale =
      patch.constant(found->scale != nullptr ? found->scale->reshaped({channels}) : filled(channels, 1.0f), "scale");
  const ValueId planes = patch.emit(transpose, {first->inputs[0]}, {{"perm", forth}});
  const ValueId y = patch.emit(context.table.find("", "GroupNormalization"),
                               {planes, scale, patch.constant(found->bias->reshaped({channels}), "bias")},
                               {{"epsilon", static_cast<float>(found->epsilon)},
                                {"num_groups", (*groups.shape)[static_cast<size_t>(rank) - 1].value()}});
  patch.replace(last.outputs[0], patch.emit(transpose, {y}, {{"perm", back}}));
  for (const ir::NodeId node : found->nodes) patch.remove(node);
  patch.remove(last.id);
  return patch;
}

}  // namespace

MatchResult match_fuse_group_normalization(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const Node& last = graph.node(id);
  if (!is(last, "Reshape") || !read_once(graph, last.inputs[0])) return MatchResult::none("no Reshape of its own");
  if (const Node* sum = made_by(graph, last.inputs[0], "Add")) return match_last_axis(context, last, *sum);
  const Node* norm = made_by(graph, last.inputs[0], "InstanceNormalization");
  if (norm == nullptr) return MatchResult::none("not of an InstanceNormalization");
  const Node* first = made_by(graph, norm->inputs[0], "Reshape");
  if (first == nullptr || !read_once(graph, norm->inputs[0])) return MatchResult::none("not of a Reshape before it");
  const ir::Fact &x = graph.value(first->inputs[0]).fact, &groups = graph.value(first->outputs[0]).fact,
                 &y = graph.value(last.outputs[0]).fact;
  if (x.dtype != ir::DType::kFloat32 || !same_type_and_shape(x, y) || x.rank() < 3 || groups.rank() < 3)
    return MatchResult::none("not back to the shape it was");
  const ir::Dim &channels = (*x.shape)[1], &count = (*groups.shape)[1];
  if (!channels.is_constant() || !count.is_constant() || count.value() < 1 || channels.value() % count.value() != 0 ||
      (*groups.shape)[0] != (*x.shape)[0])
    return MatchResult::none("not groups of channels");
  if (!all_equal(float_constant(graph, norm->inputs[1]), 1) || !all_equal(float_constant(graph, norm->inputs[2]), 0))
    return MatchResult::none("groups with factors");
  const int64_t c = channels.value();
  if (c > context.max_folded_bytes / 4) return MatchResult::none("more channels than constants may have");
  ChannelAffine total;
  total.scale.assign(static_cast<size_t>(c), 1.0f);
  total.shift.assign(static_cast<size_t>(c), 0.0f);
  ir::Patch patch(graph, "fuse GroupNormalization");
  ValueId end = last.outputs[0];
  // A Mul, then an Add.
  for (const char* wanted : {"Mul", "Add"}) {
    const Node* reader = only_reader(graph, end);
    if (reader == nullptr || !is(*reader, wanted)) continue;
    const ChannelAffine affine = arithmetic_affine(graph, *reader, end, c, 1, x.rank());
    if (!affine) break;
    for (size_t i = 0; i < total.scale.size(); ++i) {
      total.scale[i] *= affine.scale[i];
      total.shift[i] += affine.shift[i];
    }
    patch.remove(reader->id);
    end = reader->outputs[0];
  }
  patch.replace(end,
                patch.emit(context.table.find("", "GroupNormalization"),
                           {first->inputs[0], patch.constant(vector_of(total.scale), "scale"),
                            patch.constant(vector_of(total.shift), "bias")},
                           {{"epsilon", norm->attributes.get_float("epsilon", 1e-5f)}, {"num_groups", count.value()}},
                           norm->name));
  for (const Node* node : {&last, norm, first}) patch.remove(node->id);
  return patch;
}

}  // namespace onnxrun::optimize
