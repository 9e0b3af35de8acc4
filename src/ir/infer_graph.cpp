// Inference over the facts stored in a graph: one node, its bodies, or all nodes.
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/complete.h"
#include "ir/describe.h"
#include "ir/infer.h"
#include "ir/only_types.h"
#include "ir/snapshot.h"

namespace onnxrun::ir {

namespace {

// An operator may infer its body several times (a Loop, until its state's facts hold). Nested to any depth that would take exponential
// time, so below this depth a body is inferred once, for inputs of which only the types are known: its result then holds for all calls.
constexpr int kRepeatedDepth = 2;

int depth_of(const Graph& graph) {
  int depth = 0;
  for (const Graph* at = graph.parent(); at; at = at->parent()) ++depth;
  return depth;
}

// Infers the bodies of one node in place; the facts of the last call for a body stay in it.
class BodyInference {
 public:
  BodyInference(Graph& outer, const Node& node)
      : outer_(outer), node_(node), repeats_(depth_of(outer) < kRepeatedDepth) {}

  std::vector<Fact> operator()(const Graph& body, const std::vector<Fact>& inputs) {
    for (const Body& candidate : node_.bodies)
      if (candidate.graph.get() == &body) return infer(*candidate.graph, inputs);
    base::fail(base::Code::kInternal, "graph '{}' is not a body of {}", body.name, node_.describe(outer_));
  }

 private:
  std::vector<Fact> infer(Graph& body, const std::vector<Fact>& inputs) {
    const auto earlier = results_.find(&body);
    if (!repeats_ && earlier != results_.end()) return earlier->second;
    if (repeats_) {
      Snapshot& snapshot = snapshots_[&body];
      if (earlier == results_.end()) snapshot.save(body);
      else snapshot.restore(body);
    }
    for (ValueId inner : body.captures()) body.value(inner).fact = outer_.value(body.value(inner).outer).fact;
    for (size_t i = 0; i < inputs.size() && i < body.inputs().size(); ++i)
      bind_input(body.value(body.inputs()[i]), inputs[i]);
    infer_graph(body);
    std::vector<Fact> outputs;
    outputs.reserve(body.outputs().size());
    for (ValueId output : body.outputs()) outputs.push_back(body.value(output).fact);
    results_[&body] = outputs;
    return outputs;
  }

  // The body's declaration adds types to what it gets; shapes are those of the call. The text generators of com.microsoft take what their bodies declare for
  // a contract, which a run checks.
  void bind_input(Value& input, const Fact& given) const {
    Fact passed = repeats_ ? given : only_type(given);
    if (!types_agree(passed, input.fact))
      base::fail(base::Code::kInvalidModel, "the body's input '{}' is declared as {} but gets {}", input.name,
                 input.fact.to_string(), passed.to_string());
    if (bodies_keep_declarations(node_.op->domain)) {
      try {
        input.fact = merge(passed, input.fact, input.name);
        return;
      } catch (const base::Error&) {  // the call's shape holds
      }
    }
    complete_type(passed, input.fact);
    input.fact = std::move(passed);
  }

  Graph& outer_;
  const Node& node_;
  const bool repeats_;
  std::unordered_map<const Graph*, Snapshot> snapshots_;
  std::unordered_map<const Graph*, std::vector<Fact>> results_;
};

}  // namespace

thread_local bool OnlyTypes::active_ = false;

bool never_taken(const Graph& graph, const Node& node, std::string_view branch) {
  if (node.op->full_name() != "If" || node.inputs.empty() || node.inputs[0] == kNone) return false;
  const Tensor& condition = graph.value(node.inputs[0]).fact.constant;
  if (!condition || condition.dtype() != DType::kBool || condition.count() != 1) return false;
  return branch == (*condition.data<bool>() ? "else_branch" : "then_branch");
}

void infer_in_place(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<const Fact*> inputs;
  std::deque<Fact> types;
  inputs.reserve(node.inputs.size());
  for (ValueId input : node.inputs) {
    const Fact* fact = input == kNone ? nullptr : &graph.value(input).fact;
    if (fact != nullptr && OnlyTypes::active()) fact = &types.emplace_back(only_type(*fact));
    inputs.push_back(fact);
  }
  std::vector<Fact> outputs;
  if (node.bodies.empty()) {
    outputs = infer_node(graph, node, inputs);
  } else {
    BodyInference bodies(graph, node);
    outputs = infer_node(graph, node, inputs,
                         [&](const Graph& body, const std::vector<Fact>& facts) { return bodies(body, facts); });
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == kNone) continue;
    Value& output = graph.value(node.outputs[i]);
    if (output.fact.kind == TypeKind::kUnknown) {
      output.fact = std::move(outputs[i]);
      continue;
    }
    try {
      output.fact = merge(outputs[i], output.fact, fmt::format("value '{}'", output.name));
    } catch (base::Error& error) {
      error.in(describe(graph, node, [&](size_t i) { return inputs[i]; }));
      throw;
    }
  }
}

void infer_graph(Graph& graph) {
  for (NodeId node : graph.topological_order()) infer_in_place(graph, node);
}

}  // namespace onnxrun::ir
