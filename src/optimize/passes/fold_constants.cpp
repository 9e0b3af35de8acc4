// Computes nodes whose inputs are all constant, with the session's own kernels.
#include <algorithm>

#include "ir/infer.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {
namespace {

// What the node's outputs are for its constant inputs, which may tell more than what was known before those were computed.
std::vector<ir::Fact> facts_now(const ir::Graph& graph, const ir::Node& node) {
  std::vector<const ir::Fact*> inputs;
  for (ir::ValueId input : node.inputs) inputs.push_back(input == ir::kNone ? nullptr : &graph.value(input).fact);
  return ir::infer_node(graph, node, inputs);
}

}  // namespace

MatchResult match_fold_constants(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (node.op->flags & (ir::kRandom | ir::kStructural) || !node.bodies.empty())
    return MatchResult::none("random or structural");
  std::vector<ir::Fact> outputs;
  bool known = true;
  for (ir::ValueId output : node.outputs) {
    if (output == ir::kNone) {
      outputs.emplace_back();
      continue;
    }
    const ir::Fact& fact = graph.value(output).fact;
    if (!fact.is_tensor()) return MatchResult::none("not a tensor");
    if (graph.is_output(output) && graph.parent() == nullptr) return MatchResult::none("an output of the model");
    known &= static_cast<bool>(fact.constant);
    outputs.push_back(fact);
  }
  std::vector<base::Tensor> results;
  if (known) {
    for (const ir::Fact& fact : outputs) results.push_back(fact.constant);
  } else {
    if (context.evaluator == nullptr) return MatchResult::none("no evaluator");
    std::vector<const base::Tensor*> inputs;
    // A result may be as large as what it is made from: a transposed weight.
    auto largest = static_cast<size_t>(context.max_folded_bytes);
    for (ir::ValueId input : node.inputs) {
      if (input != ir::kNone && !graph.value(input).fact.constant) return MatchResult::none("an input is not constant");
      inputs.push_back(input == ir::kNone ? nullptr : &graph.value(input).fact.constant);
      if (inputs.back() != nullptr) largest = std::max(largest, inputs.back()->bytes());
    }
    try {
      outputs = facts_now(graph, node);
      for (const ir::Fact& fact : outputs) {
        const auto dims = fact.dims();
        if (dims && fact.dtype != ir::DType::kNone &&
            base::dtype_bytes(fact.dtype, base::element_count(*dims)) > largest)
          return MatchResult::none("the result is too large");
      }
      auto computed = context.evaluator->evaluate(node, inputs, outputs);
      if (!computed) return MatchResult::none("no kernel computes it now");
      results = std::move(*computed);
    } catch (const base::Error&) {
      return MatchResult::none("it fails; the run will say so");
    }
  }
  ir::Patch patch(graph, "fold");
  for (size_t i = 0; i < node.outputs.size(); ++i)
    if (node.outputs[i] != ir::kNone)
      patch.replace(node.outputs[i], patch.constant(results[i], graph.value(node.outputs[i]).name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
