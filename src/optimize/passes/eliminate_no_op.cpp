// Lets readers of a node that changes nothing read its input: a Cast to the same type, a Reshape to the same shape, x * 1, a whole Slice.
#include <algorithm>
#include <cmath>

#include "base/floats.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using base::DType;
using ir::Graph;
using ir::Node;
using ir::ValueId;

bool all_equal(const Graph& graph, ValueId value, int64_t wanted) {
  const auto values = integers(graph, value);
  return values && std::all_of(values->begin(), values->end(), [&](int64_t v) { return v == wanted; });
}

double to_double(float value) { return static_cast<double>(value); }

// Whether each element of a known tensor is `wanted`, 0 or 1; -0 is not 0: taken from -0 it leaves 0.
bool is_constant(const Graph& graph, ValueId value, int wanted) {
  const base::Tensor* tensor = constant(graph, value);
  if (tensor == nullptr || tensor->count() == 0) return false;
  const auto is_wanted = [&](double v) { return v == wanted && !std::signbit(v); };
  switch (tensor->dtype()) {
    case DType::kFloat16: return std::ranges::all_of(tensor->span<base::Float16>(), is_wanted, to_double);
    case DType::kBfloat16: return std::ranges::all_of(tensor->span<base::Bfloat16>(), is_wanted, to_double);
    case DType::kFloat32: return std::ranges::all_of(tensor->span<float>(), is_wanted, to_double);
    case DType::kFloat64: return std::ranges::all_of(tensor->span<double>(), is_wanted);
    default: break;
  }
  const auto one = number(graph, value);
  return one && is_wanted(*one);
}

// Whether every element of a known tensor of bools is `wanted`.
bool is_flag(const Graph& graph, ValueId value, bool wanted) {
  const base::Tensor* tensor = constant(graph, value);
  return tensor != nullptr && tensor->dtype() == DType::kBool && tensor->count() > 0 &&
         std::ranges::all_of(tensor->span<bool>(), [&](bool v) { return v == wanted; });
}

bool is_identity_permutation(const Node& node) {
  const std::vector<int64_t> perm = node.attributes.get_ints("perm");
  if (perm.empty()) return false;
  for (size_t d = 0; d < perm.size(); ++d)
    if (perm[d] != static_cast<int64_t>(d)) return false;
  return true;
}

bool is_unread(const Graph& graph, ValueId value) {
  return graph.value(value).consumers.empty() && !graph.is_output(value);
}

// Resampling to the same size at positions that are those of the input: factors may leave the size as it is and move them.
bool resizes_exactly(const Graph& graph, const Node& node) {
  if (const ValueId scales = input(node, 2); scales != ir::kNone) {
    const base::Tensor* known = constant(graph, scales);
    if (known == nullptr || (known->count() > 0 && !is_constant(graph, scales, 1))) return false;
  }
  const std::string mode = node.attributes.get_string("mode", "nearest");
  const std::string transform = node.attributes.get_string("coordinate_transformation_mode", "half_pixel");
  return mode == "nearest" && (transform == "half_pixel" || transform == "asymmetric" || transform == "align_corners" ||
                               transform == "pytorch_half_pixel");
}

// The input that output 0 equals in every element, for nodes whose output has its type and shape; kNone when there is none.
ValueId unchanged(const Graph& graph, const Node& node) {
  const auto first = [&](bool holds) { return holds ? node.inputs[0] : ir::kNone; };
  if (is(node, "Cast") || is(node, "Reshape") || is(node, "Flatten") || is(node, "Squeeze") || is(node, "Unsqueeze") ||
      is(node, "Expand"))
    return node.inputs[0];
  // Without its training_mode, or where that is false.
  if (is(node, "Dropout"))
    return first((node.outputs.size() < 2 || node.outputs[1] == ir::kNone || is_unread(graph, node.outputs[1])) &&
                 (input(node, 2) == ir::kNone || is_flag(graph, node.inputs[2], false)));
  if (is(node, "Where")) {
    if (node.inputs[1] == node.inputs[2] || is_flag(graph, node.inputs[0], true)) return node.inputs[1];
    return is_flag(graph, node.inputs[0], false) ? node.inputs[2] : ir::kNone;
  }
  if (is(node, "And") || is(node, "Or"))
    for (size_t k = 0; k < 2; ++k)
      if (is_flag(graph, node.inputs[k], is(node, "And"))) return node.inputs[1 - k];
  if (is(node, "Transpose")) return first(is_identity_permutation(node));
  if (is(node, "Slice")) return first(input(node, 4) == ir::kNone || all_equal(graph, node.inputs[4], 1));
  if (is(node, "Pad")) return first(all_equal(graph, node.inputs[1], 0));
  if (is(node, "Tile")) return first(all_equal(graph, node.inputs[1], 1));
  if (is(node, "Resize")) return first(resizes_exactly(graph, node));
  if (is(node, "Concat") || is(node, "Sum") || is(node, "Max") || is(node, "Min") || is(node, "Mean"))
    return first(node.inputs.size() == 1);
  if (is(node, "Split")) return first(node.outputs.size() == 1);
  if (is(node, "Div") || is(node, "Pow")) return first(is_constant(graph, node.inputs[1], 1));
  if (is(node, "Mul"))
    for (size_t k = 0; k < 2; ++k)
      if (is_constant(graph, node.inputs[k], 1)) return node.inputs[1 - k];
  // Of floats, 0 + -0 is 0: only integers stay what they are.
  if (is(node, "Sub")) return first(is_constant(graph, node.inputs[1], 0));
  if (is(node, "Add") && base::is_integer(graph.value(node.outputs[0]).fact.dtype))
    for (size_t k = 0; k < 2; ++k)
      if (is_constant(graph, node.inputs[k], 0)) return node.inputs[1 - k];
  return ir::kNone;
}

}  // namespace

MatchResult match_eliminate_no_op(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (node.inputs.empty() || node.inputs[0] == ir::kNone || node.outputs[0] == ir::kNone)
    return MatchResult::none("no input");
  const ValueId from = node.outputs[0], to = unchanged(graph, node);
  if (to == ir::kNone) return MatchResult::none("it changes its input");
  if (!same_type_and_shape(graph.value(from).fact, graph.value(to).fact))
    return MatchResult::none("type or shape may change");
  if (!ir::can_replace(graph, from, to)) return MatchResult::none("it gives an output of the model its name");
  ir::Patch patch(graph, "remove what changes nothing");
  patch.replace(from, to);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
