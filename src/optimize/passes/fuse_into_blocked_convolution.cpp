// Takes an addition and an activation after a convolution on blocked channels into it, and an activation after factors of channels.
#include <limits>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

bool activates(const Node& node) { return !node.attributes.get_string("activation").empty(); }

// The activation of `reader` as attributes of the convolution.
bool take_activation(const Graph& graph, const Node& reader, ir::Attributes& attributes) {
  std::vector<float> parameters;
  const auto read = [&](const char* name, float fallback) {
    parameters.push_back(reader.attributes.get_float(name, fallback));
  };
  if (is(reader, "LeakyRelu")) {
    read("alpha", 0.01f);
  } else if (is(reader, "Elu") || is(reader, "Swish")) {
    read("alpha", 1);
  } else if (is(reader, "HardSigmoid")) {
    read("alpha", 0.2f);
    read("beta", 0.5f);
  } else if (is(reader, "Clip")) {
    constexpr float kLargest = std::numeric_limits<float>::infinity();
    for (size_t i = 1; i <= 2; ++i) {
      const auto bound = number(graph, input(reader, i));
      if (!bound && input(reader, i) != ir::kNone) return false;
      parameters.push_back(bound ? static_cast<float>(*bound) : i == 1 ? -kLargest : kLargest);
    }
  } else if (is(reader, "Gelu")) {
    if (reader.attributes.get_string("approximate", "none") != "none") return false;
  } else if (!is(reader, "Relu") && !is(reader, "Sigmoid") && !is(reader, "HardSwish") && !is(reader, "Mish") &&
             !is(reader, "Tanh")) {
    return false;
  }
  attributes.set("activation", std::string(reader.op->name));
  if (!parameters.empty()) attributes.set("activation_params", std::move(parameters));
  return true;
}

}  // namespace

MatchResult match_fuse_into_blocked_convolution(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  const bool convolves = is(node, "BlockedConv", "onnxrun");
  if (!convolves && !is(node, "BlockedAffine", "onnxrun")) return MatchResult::none("takes nothing");
  if (context.capabilities == nullptr) return MatchResult::none("nothing is known of kernels");
  if (activates(node)) return MatchResult::none("ends with an activation");
  const Node* reader = only_reader(graph, node.outputs[0]);
  if (reader == nullptr) return MatchResult::none("not read once");
  Node fused;
  fused.op = node.op;
  fused.name = node.name;
  fused.attributes = node.attributes;
  fused.inputs = node.inputs;
  fused.outputs = node.outputs;
  if (convolves && is(*reader, "Add")) {
    const ValueId added = other_input(*reader, node.outputs[0]);
    if (input(node, 3) != ir::kNone || added == node.outputs[0] ||
        !same_type_and_shape(graph.value(added).fact, graph.value(node.outputs[0]).fact))
      return MatchResult::none("no addition of an equal shape follows");
    fused.inputs.resize(4, ir::kNone);
    fused.inputs[3] = added;
  } else if (!take_activation(graph, *reader, fused.attributes)) {
    return MatchResult::none("no activation follows");
  }
  if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
  ir::Patch patch(graph, "fuse into a convolution");
  patch.replace(reader->outputs[0], patch.emit(fused.op, fused.inputs, fused.attributes, fused.name));
  patch.remove(id);
  patch.remove(reader->id);
  return patch;
}

}  // namespace onnxrun::optimize
