// Takes an addition and an activation after a convolution on blocked channels into it, and an activation after factors of channels.
#include "optimize/fused_activation.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

bool activates(const Node& node) { return !node.attributes.get_string("activation").empty(); }

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
  } else {
    auto activation = activation_of(graph, *reader);
    if (!activation) return MatchResult::none("no activation follows");
    fused.attributes.set("activation", std::move(activation->name));
    if (!activation->parameters.empty()) fused.attributes.set("activation_params", std::move(activation->parameters));
  }
  if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
  ir::Patch patch(graph, "fuse into a convolution");
  patch.replace(reader->outputs[0], patch.emit(fused.op, fused.inputs, fused.attributes, fused.name));
  patch.remove(id);
  patch.remove(reader->id);
  return patch;
}

}  // namespace onnxrun::optimize
