// Takes a Mul or Add of a number or of channel constants before a Conv into its constant weights and bias; an Add only where no zeros are padded.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;

bool pads_nothing(const Node& conv) {
  const std::string mode = conv.attributes.get_string("auto_pad", "NOTSET");
  const std::vector<int64_t> pads = conv.attributes.get_ints("pads");
  return mode == "VALID" || ((mode == "NOTSET" || mode.empty()) &&
                             std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; }));
}

// One value, or one for each of the channels of `x`, [N, C, …], which it must not make more.
bool is_by_channel(const Tensor& operand, int64_t channels, const ir::Shape& x) {
  const auto rank = static_cast<int64_t>(x.size());
  if (operand.rank() > rank) return false;
  if (operand.count() == 1) return true;
  if (x[1] != ir::Dim(channels)) return false;
  const int64_t at = 1 - (rank - operand.rank());
  return operand.count() == channels && at >= 0 && operand.dims()[static_cast<size_t>(at)] == channels;
}

}  // namespace

MatchResult match_fold_input_scale_into_weights(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& conv = graph.node(id);
  if (!is(conv, "Conv")) return MatchResult::none("no Conv");
  const Tensor* w = float_constant(graph, conv.inputs[1]);
  if (w == nullptr || w->count() == 0 || w->bytes() > static_cast<size_t>(context.max_folded_bytes))
    return MatchResult::none("its weights are not constant, or too large");
  const Node* before = producer(graph, conv.inputs[0]);
  if (before == nullptr || !(is(*before, "Mul") || is(*before, "Add")) || !read_once(graph, conv.inputs[0]))
    return MatchResult::none("no Mul or Add before it");
  const bool adds = is(*before, "Add");
  if (adds && !pads_nothing(conv)) return MatchResult::none("padded zeros are not shifted");
  const size_t side = float_constant(graph, before->inputs[0]) != nullptr ? 0 : 1;
  const Tensor* operand = float_constant(graph, before->inputs[side]);
  const ValueId x = before->inputs[1 - side];
  const int64_t groups = conv.attributes.get_int("group", 1), filters = w->dims()[0], per_group = w->dims()[1];
  if (operand == nullptr || groups < 1 || filters % groups != 0) return MatchResult::none("not of a constant");
  const ir::Shape* shape = known_shape(graph, x);
  if (shape == nullptr || static_cast<int64_t>(shape->size()) != w->rank() ||
      !is_by_channel(*operand, per_group * groups, *shape))
    return MatchResult::none("no number and no channel constants");
  const Tensor* bias = nullptr;
  if (input(conv, 2) != ir::kNone && adds) {
    bias = float_constant(graph, conv.inputs[2]);
    if (bias == nullptr) return MatchResult::none("its bias is not constant");
  }

  ir::Patch patch(graph, "fold into weights");
  std::vector<ValueId> inputs = conv.inputs;
  inputs[0] = x;
  const float* values = operand->data<float>();
  const int64_t kernel = w->count() / (filters * per_group);
  const auto of_channel = [&](int64_t filter, int64_t c) {
    return values[operand->count() == 1 ? 0 : filter / (filters / groups) * per_group + c];
  };
  if (adds) {
    Tensor sums(base::DType::kFloat32, {filters});
    const Tensor readable = w->apart();
    const float* weight = readable.data<float>();
    for (int64_t m = 0; m < filters; ++m) {
      double sum = bias != nullptr ? static_cast<double>(bias->data<float>()[m]) : 0.0;
      for (int64_t c = 0; c < per_group; ++c)
        for (int64_t k = 0; k < kernel; ++k)
          sum += static_cast<double>(*weight++) * static_cast<double>(of_channel(m, c));
      sums.mutable_data<float>()[m] = static_cast<float>(sum);
    }
    if (!is_finite(sums)) return MatchResult::none("its bias would not be finite");
    inputs.resize(3, ir::kNone);
    inputs[2] = patch.constant(std::move(sums), "bias");
  } else {
    Tensor scaled = w->clone();
    float* weight = scaled.mutable_data<float>();
    for (int64_t m = 0; m < filters; ++m)
      for (int64_t c = 0; c < per_group; ++c)
        for (int64_t k = 0; k < kernel; ++k) *weight++ *= of_channel(m, c);
    if (!is_finite(scaled)) return MatchResult::none("its weights would not be finite");
    inputs[1] = patch.constant(std::move(scaled), graph.value(conv.inputs[1]).name);
  }
  patch.replace(conv.outputs[0], patch.emit(conv.op, std::move(inputs), conv.attributes, conv.name));
  patch.remove(id);
  patch.remove(before->id);
  return patch;
}

}  // namespace onnxrun::optimize
