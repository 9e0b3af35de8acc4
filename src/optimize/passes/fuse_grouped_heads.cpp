// Lets an Attention read keys and values once that are repeated for groups of query heads.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

struct Repeated {
  ValueId heads = ir::kNone;  // [batch, heads, length, size]
  ir::Dim times;
};

// [batch, heads * times, length, size] by way of [batch, heads, 1, length, size] and [batch, heads, times, length, size].
Repeated repeated(const Graph& graph, ValueId value) {
  const Node* merge = made_by(graph, value, "Reshape");
  const Node* expand = merge != nullptr ? made_by(graph, merge->inputs[0], "Expand") : nullptr;
  const Node* insert = expand != nullptr ? producer(graph, expand->inputs[0]) : nullptr;
  if (insert == nullptr || !(is(*insert, "Unsqueeze") || is(*insert, "Reshape"))) return {};
  const auto shape = [&](ValueId of) { return graph.value(of).fact.shape.value_or(ir::Shape()); };
  const ir::Shape from = shape(insert->inputs[0]), five = shape(insert->outputs[0]), wide = shape(expand->outputs[0]),
                  to = shape(value);
  if (from.size() != 4 || five.size() != 5 || wide.size() != 5 || to.size() != 4) return {};
  const ir::Shape inserted{from[0], from[1], 1, from[2], from[3]};
  const ir::Dim& times = wide[2];
  if (five != inserted || wide != ir::Shape{from[0], from[1], times, from[2], from[3]} ||
      to != ir::Shape{from[0], from[1] * times, from[2], from[3]} || !times.is_constant())
    return {};
  return {insert->inputs[0], times};
}

}  // namespace

MatchResult match_fuse_grouped_heads(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& attention = graph.node(id);
  if (!is(attention, "Attention") || attention.outputs.size() != 1 || input(attention, 4) != ir::kNone ||
      graph.value(attention.inputs[0]).fact.rank() != 4)
    return MatchResult::none("no Attention of heads without a cache");
  const Repeated k = repeated(graph, attention.inputs[1]), v = repeated(graph, attention.inputs[2]);
  if (k.heads == ir::kNone || v.heads == ir::kNone || k.times != v.times)
    return MatchResult::none("its keys and values are not repeated alike");
  ir::Patch patch(graph, "read repeated heads once");
  std::vector<ValueId> inputs = attention.inputs;
  inputs[1] = k.heads;
  inputs[2] = v.heads;
  patch.replace(attention.outputs[0],
                patch.emit(attention.op, std::move(inputs), attention.attributes, attention.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
