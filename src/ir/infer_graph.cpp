// Inference over the facts stored in a graph: one node, its bodies, or all nodes.
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/infer.h"

namespace onnxrun::ir {

namespace {

// An operator may infer its body several times (a Loop, until its state's facts hold). Nested to any depth that would take exponential
// time, so below this depth a body is inferred once, for inputs of which only the types are known: its result then holds for all calls.
constexpr int kRepeatedDepth = 4;

int depth_of(const Graph& graph) {
  int depth = 0;
  for (const Graph* at = graph.parent(); at; at = at->parent()) ++depth;
  return depth;
}

Fact only_type(const Fact& fact) {
  Fact type;
  type.kind = fact.kind;
  type.dtype = fact.dtype;
  type.key = fact.key;
  if (fact.element) type.element = std::make_shared<const Fact>(only_type(*fact.element));
  return type;
}

// The facts of all values of a graph and of the bodies in it.
class Snapshot {
 public:
  void save(const Graph& graph) {
    std::vector<Fact>& facts = facts_[&graph];
    for (size_t i = 0; i < graph.value_count(); ++i) facts.push_back(graph.value(static_cast<ValueId>(i)).fact);
    each_body(graph, [&](const Graph& body) { save(body); });
  }
  void restore(Graph& graph) const {
    const std::vector<Fact>& facts = facts_.at(&graph);
    for (size_t i = 0; i < facts.size(); ++i) graph.value(static_cast<ValueId>(i)).fact = facts[i];
    each_body(graph, [&](Graph& body) { restore(body); });
  }

 private:
  template <class Visit>
  static void each_body(const Graph& graph, const Visit& visit) {
    for (size_t i = 0; i < graph.node_capacity(); ++i)
      if (graph.has_node(static_cast<NodeId>(i)))
        for (const Body& body : graph.node(static_cast<NodeId>(i)).bodies) visit(*body.graph);
  }
  std::unordered_map<const Graph*, std::vector<Fact>> facts_;
};

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

  // What the body declares of its input refines what it gets; where only shapes contradict, the declaration gives way.
  void bind_input(Value& input, const Fact& given) const {
    const Fact& passed = repeats_ ? given : only_type(given);
    if (!types_agree(passed, input.fact))
      base::fail(base::Code::kInvalidModel, "the body's input '{}' is declared as {} but gets {}", input.name,
                 input.fact.to_string(), passed.to_string());
    try {
      input.fact = merge(passed, input.fact, input.name);
    } catch (const base::Error&) {
      input.fact = passed;
    }
  }

  Graph& outer_;
  const Node& node_;
  const bool repeats_;
  std::unordered_map<const Graph*, Snapshot> snapshots_;
  std::unordered_map<const Graph*, std::vector<Fact>> results_;
};

}  // namespace

void infer_in_place(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<const Fact*> inputs;
  inputs.reserve(node.inputs.size());
  for (ValueId input : node.inputs) inputs.push_back(input == kNone ? nullptr : &graph.value(input).fact);
  std::vector<Fact> outputs;
  if (node.bodies.empty()) {
    outputs = infer_node(graph, node, std::move(inputs));
  } else {
    BodyInference bodies(graph, node);
    outputs = infer_node(graph, node, std::move(inputs),
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
      error.in(node.describe(graph));
      throw;
    }
  }
}

void infer_graph(Graph& graph) {
  for (NodeId node : graph.topological_order()) infer_in_place(graph, node);
}

}  // namespace onnxrun::ir
