// Takes a quantised addition and a function of one byte after a quantised convolution on blocked channels into it.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// Inputs of BlockedQLinearConv.
constexpr size_t kYScale = 6, kYZero = 7, kAdded = 9, kSumScale = 12, kTable = 14;

// The addition of another value of equal shape to `node`'s result, as its inputs.
bool take_addition(const Graph& graph, const Node& node, const Node& reader, std::vector<ValueId>& inputs) {
  if (input(node, kAdded) != ir::kNone) return false;
  const size_t own = reader.inputs[0] == node.outputs[0] ? 0 : 3, other = 3 - own;
  const ValueId added = reader.inputs[other];
  if (added == node.outputs[0] || !same_type_and_shape(graph.value(added).fact, graph.value(node.outputs[0]).fact) ||
      !same_constant(graph, input(reader, own + 1), input(node, kYScale)) ||
      !same_constant(graph, input(reader, own + 2), input(node, kYZero)))
    return false;
  inputs.resize(kTable, ir::kNone);
  for (size_t i = 0; i < 3; ++i) inputs[kAdded + i] = input(reader, other + i);
  for (size_t i = 0; i < 2; ++i) inputs[kSumScale + i] = input(reader, 6 + i);
  for (size_t i = kAdded; i < kTable; ++i)
    if (inputs[i] == ir::kNone) return false;
  return true;
}

}  // namespace

MatchResult match_fuse_into_blocked_integer_convolution(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (!is(node, "BlockedQLinearConv", "onnxrun")) return MatchResult::none("takes nothing");
  if (context.capabilities == nullptr) return MatchResult::none("nothing is known of kernels");
  if (input(node, kTable) != ir::kNone) return MatchResult::none("ends with a table");
  const Node* reader = only_reader(graph, node.outputs[0]);
  if (reader == nullptr) return MatchResult::none("not read once");
  Node fused;
  fused.op = node.op;
  fused.name = node.name;
  fused.attributes = node.attributes;
  fused.inputs = node.inputs;
  fused.outputs = node.outputs;
  if (is(*reader, "QLinearAdd", "com.microsoft")) {
    if (!take_addition(graph, node, *reader, fused.inputs))
      return MatchResult::none("no addition of an equal shape follows");
  } else if (is(*reader, "ByteTable", "onnxrun") &&
             graph.value(reader->outputs[0]).fact.dtype == graph.value(node.outputs[0]).fact.dtype) {
    fused.inputs.resize(kTable, ir::kNone);
    fused.inputs.push_back(reader->inputs[1]);
  } else {
    return MatchResult::none("neither an addition nor a table follows");
  }
  if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
  ir::Patch patch(graph, "fuse into a quantised convolution");
  patch.replace(reader->outputs[0], patch.emit(fused.op, fused.inputs, fused.attributes, fused.name));
  patch.remove(id);
  patch.remove(reader->id);
  return patch;
}

}  // namespace onnxrun::optimize
