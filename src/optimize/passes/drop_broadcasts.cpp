// Lets elementwise operators, which broadcast, read what an Expand reads where another input has the shape of the result, and takes an Expand of true out of an And.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// A PRelu does not broadcast what it reads, but for its slopes.
bool broadcasts(const Node& node, size_t input) {
  return is_elementwise(node) && node.inputs.size() > 1 && !(is(node, "PRelu") && input == 0);
}

// Whether an Expand gives its result all the axes that it asks for, so that it makes the same of a value of fewer.
bool asks_for_all_axes(const Graph& graph, const Node& expand) {
  const auto asked = graph.value(expand.inputs[1]).fact.dims();
  return asked && asked->size() == 1 && asked->front() == graph.value(expand.outputs[0]).fact.rank();
}

// Whether a value is one truth that leaves the other operand of an And or Or as it is.
bool is_neutral(const Graph& graph, const Node& node, ValueId value) {
  const base::Tensor* found = constant(graph, value);
  return found != nullptr && found->dtype() == ir::DType::kBool && found->count() == 1 &&
         (is(node, "And") || is(node, "Or")) && found->data<bool>()[0] == is(node, "And");
}

MatchResult cast_first(const PassContext& context, const Node& cast) {
  const Graph& graph = context.graph;
  const Node* expand = made_by(graph, cast.inputs[0], "Expand");
  if (expand == nullptr || !read_once(graph, cast.inputs[0])) return MatchResult::none("not of an Expand read once");
  ir::Patch patch(graph, "cast before an Expand");
  const ValueId narrow = patch.emit(cast.op, {expand->inputs[0]}, cast.attributes, cast.name);
  patch.replace(cast.outputs[0], patch.emit(expand->op, {narrow, expand->inputs[1]}, {}, expand->name));
  patch.remove(cast.id);
  patch.remove(expand->id);
  return patch;
}

}  // namespace

MatchResult match_drop_broadcasts(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (is(node, "Cast")) return cast_first(context, node);
  if (!is_elementwise(node)) return MatchResult::none("no elementwise operator");
  const ir::Shape* result = known_shape(graph, node.outputs[0]);
  if (result == nullptr) return MatchResult::none("unknown rank");
  const auto is_whole = [&](ValueId value) {
    const ir::Shape* shape = value == ir::kNone ? nullptr : known_shape(graph, value);
    return shape != nullptr && *shape == *result;
  };
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Node* expand = made_by(graph, node.inputs[i], "Expand");
    if (expand == nullptr || !broadcasts(node, i)) continue;
    ir::Patch patch(graph, "read what an Expand reads");
    for (size_t j = 0; j < node.inputs.size(); ++j) {
      if (j == i || !is_whole(node.inputs[j])) continue;
      patch.set_input(id, i, expand->inputs[0]);
      if (read_once(graph, node.inputs[i])) patch.remove(expand->id);
      return patch;
    }
    if (!is_whole(node.inputs[i]) || !is_neutral(graph, node, expand->inputs[0]) || !asks_for_all_axes(graph, *expand))
      continue;
    patch.replace(node.outputs[0], patch.emit(expand->op, {node.inputs[1 - i], expand->inputs[1]}, {}, node.name));
    patch.remove(id);
    if (read_once(graph, node.inputs[i])) patch.remove(expand->id);
    return patch;
  }
  return MatchResult::none("no Expand that broadcasting repeats");
}

}  // namespace onnxrun::optimize
