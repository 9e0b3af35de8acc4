// Makes one FusedConv of a Conv, what is added to it and the activation after it, and one FusedGemm of a Gemm and its activation: of activations those that
// other runtimes know there, too.
#include <algorithm>

#include "optimize/fused_activation.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr const char* kDomain = "com.microsoft";

bool is_known(const FusedActivation& activation) {
  static constexpr std::string_view kNames[] = {"Relu", "LeakyRelu", "Sigmoid", "Tanh", "Clip", "HardSigmoid"};
  return std::ranges::find(kNames, activation.name) != std::end(kNames);
}

void set_activation(Node& node, FusedActivation activation) {
  node.attributes.set("activation", std::move(activation.name));
  if (is(node, "FusedConv", kDomain)) {
    if (!activation.parameters.empty()) node.attributes.set("activation_params", std::move(activation.parameters));
    return;
  }
  static constexpr const char* kParameters[] = {"activation_alpha", "activation_beta"};
  for (size_t i = 0; i < activation.parameters.size(); ++i)
    node.attributes.set(kParameters[i], activation.parameters[i]);
}

// What is added to `sums`, of their shape; kNone.
ValueId added_to(const Graph& graph, const Node& add, ValueId sums) {
  const ValueId other = other_input(add, sums);
  if (!is(add, "Add") || other == sums || other == ir::kNone ||
      !same_type_and_shape(graph.value(other).fact, graph.value(sums).fact))
    return ir::kNone;
  return other;
}

}  // namespace

MatchResult match_fuse_activation(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  const bool convolves = is(node, "Conv");
  if (!convolves && !is(node, "Gemm")) return MatchResult::none("takes no activation");
  if (context.capabilities == nullptr) return MatchResult::none("nothing is known of kernels");
  const ir::DType type = graph.value(node.outputs[0]).fact.dtype;
  if (type != ir::DType::kFloat32 && type != ir::DType::kFloat16 && type != ir::DType::kBfloat16)
    return MatchResult::none("not computed in float32");
  const Node* reader = only_reader(graph, node.outputs[0]);
  if (reader == nullptr) return MatchResult::none("not read once");
  Node fused;
  fused.op = context.table.find(kDomain, convolves ? "FusedConv" : "FusedGemm");
  fused.name = node.name;
  fused.attributes = node.attributes;
  fused.inputs = node.inputs;
  fused.outputs = node.outputs;
  ir::Patch patch(graph, "fuse an activation");
  const ValueId added = convolves ? added_to(graph, *reader, node.outputs[0]) : ir::kNone;
  if (added != ir::kNone) {
    fused.inputs.resize(4, ir::kNone);
    fused.inputs[3] = added;
    const Node* next = only_reader(graph, reader->outputs[0]);
    const auto activation = next != nullptr ? activation_of(graph, *next) : std::nullopt;
    if (activation && is_known(*activation)) {
      set_activation(fused, *activation);
      patch.remove(reader->id);
      reader = next;
    }
  } else {
    const auto activation = activation_of(graph, *reader);
    if (!activation || !is_known(*activation)) return MatchResult::none("no activation follows");
    set_activation(fused, *activation);
  }
  if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
  patch.replace(reader->outputs[0], patch.emit(fused.op, fused.inputs, fused.attributes, fused.name));
  patch.remove(id);
  patch.remove(reader->id);
  return patch;
}

}  // namespace onnxrun::optimize
