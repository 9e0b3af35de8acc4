// Makes a Where of what a condition and its opposite multiply before both are added, as tf2onnx spells a choice. A number that is not chosen no longer counts,
// where infinity times zero would.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// A value times 1 where `condition` is true, times 0 where it is false.
struct Kept {
  ValueId value = ir::kNone, condition = ir::kNone;
  const Node *product = nullptr, *cast = nullptr;
};

Kept kept(const Graph& graph, ValueId of) {
  const Node* product = made_by(graph, of, "Mul");
  if (product == nullptr || !read_once(graph, of)) return {};
  for (size_t k = 0; k < 2; ++k) {
    const Node* cast = made_by(graph, product->inputs[k], "Cast");
    if (cast != nullptr && graph.value(cast->inputs[0]).fact.dtype == ir::DType::kBool)
      return {product->inputs[1 - k], cast->inputs[0], product, cast};
  }
  return {};
}

}  // namespace

MatchResult match_fuse_select(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& sum = graph.node(id);
  if (!is(sum, "Add")) return MatchResult::none("no Add");
  for (size_t k = 0; k < 2; ++k) {
    const Kept yes = kept(graph, sum.inputs[k]), no = kept(graph, sum.inputs[1 - k]);
    const Node* opposite = no.product != nullptr ? made_by(graph, no.condition, "Not") : nullptr;
    if (opposite == nullptr || yes.product == nullptr || opposite->inputs[0] != yes.condition) continue;
    ir::Patch patch(graph, "choose by condition");
    patch.replace(sum.outputs[0],
                  patch.emit(context.table.find("", "Where"), {yes.condition, yes.value, no.value}, {}, sum.name));
    for (const Node* node : {&sum, yes.product, no.product}) patch.remove(node->id);
    for (const Node* cast : {yes.cast, no.cast})
      if (read_once(graph, cast->outputs[0])) patch.remove(cast->id);
    return patch;
  }
  return MatchResult::none("no sum of what a condition and its opposite keep");
}

}  // namespace onnxrun::optimize
