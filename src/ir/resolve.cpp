// A walk over the graph that computes constants on demand.
#include "ir/resolve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/floats.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ir/snapshot.h"

namespace onnxrun::ir {

namespace {

// Elements of all inputs, and of a result whose shape is known beforehand, of a node that is computed.
constexpr int64_t kMaxElements = int64_t{1} << 14;

bool is_open(const Fact& fact) {
  if (fact.kind == TypeKind::kUnknown) return true;
  if (fact.kind == TypeKind::kSequence || fact.kind == TypeKind::kOptional)
    return !fact.element || is_open(*fact.element);
  if (!fact.is_tensor()) return false;
  return !fact.shape ||
         std::any_of(fact.shape->begin(), fact.shape->end(), [](const Dim& d) { return d.is_unknown(); });
}

template <class T>
bool has_subnormal(const Tensor& tensor) {
  const std::span numbers(static_cast<const T*>(tensor.raw()), tensor.bytes() / sizeof(T));
  return std::ranges::any_of(numbers, [](auto v) { return std::fpclassify(v) == FP_SUBNORMAL; });
}

// What sessions may read or compute otherwise, as they flush subnormal numbers.
bool depends_on_session(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
    case DType::kComplex64: return has_subnormal<float>(tensor);
    case DType::kFloat64:
    case DType::kComplex128: return has_subnormal<double>(tensor);
    case DType::kBfloat16:
      return std::ranges::any_of(tensor.span<base::Bfloat16>(),
                                 [](base::Bfloat16 v) { return (v.bits & 0x7f80) == 0 && (v.bits & 0x7f) != 0; });
    default: return false;
  }
}

class Resolution {
 public:
  Resolution(Graph& graph, Evaluator& evaluator) : graph_(graph), evaluator_(evaluator) {}

  void run() {
    const std::vector<NodeId> order = graph_.topological_order();
    if (std::none_of(order.begin(), order.end(), [&](NodeId id) { return has_open_output(id); })) return;
    changed_.assign(graph_.value_count(), false);
    derivable_.assign(graph_.value_count(), false);
    for (size_t i = 0; i < graph_.value_count(); ++i)
      derivable_[i] = static_cast<bool>(graph_.value(static_cast<ValueId>(i)).fact.constant);
    for (const NodeId id : order) {
      if (is_computable(id))
        for (const ValueId output : graph_.node(id).outputs)
          if (output != kNone) derivable_[static_cast<size_t>(output)] = true;
      if (has_open_output(id)) resolve(id);
    }
    for (const Kept& kept : kept_) {
      Fact& fact = graph_.value(kept.value).fact;
      fact.constant = {};
      fact.elements = kept.elements;
    }
  }

 private:
  struct Kept {
    ValueId value;
    std::optional<std::vector<Dim>> elements;  // as they were
  };

  bool has_open_output(NodeId id) const {
    return std::ranges::any_of(graph_.node(id).outputs,
                               [&](ValueId output) { return output != kNone && is_open(graph_.value(output).fact); });
  }

  bool is_computable(NodeId id) const {
    const Node& node = graph_.node(id);
    if ((node.op->flags & (kRandom | kStructural)) != 0 || !node.bodies.empty()) return false;
    return std::ranges::all_of(node.inputs,
                               [&](ValueId in) { return in == kNone || derivable_[static_cast<size_t>(in)]; });
  }

  std::vector<ValueId> reads(const Node& node) const {
    std::vector<ValueId> values;
    for (const ValueId in : node.inputs)
      if (in != kNone) values.push_back(in);
    for (const Body& body : node.bodies)
      for (const ValueId inner : body.graph->captures()) values.push_back(body.graph->value(inner).outer);
    return values;
  }

  void resolve(NodeId id) {
    const Node& node = graph_.node(id);
    bool better = false;
    for (const ValueId value : reads(node)) {
      better |= changed_[static_cast<size_t>(value)];
      better |= !graph_.value(value).fact.constant && compute_value(value);
    }
    if (better) infer(id);
    if (has_open_output(id) && is_computable(id)) compute_node(id);
  }

  // Infers again from what is known now. Bodies are left as they were.
  void infer(NodeId id) {
    const Node& node = graph_.node(id);
    Snapshot bodies;
    for (const Body& body : node.bodies) bodies.save(*body.graph);
    std::vector<Kept> unknown;
    for (const ValueId output : node.outputs)
      if (output != kNone && !graph_.value(output).fact.constant)
        unknown.push_back({output, graph_.value(output).fact.elements});
    try {
      infer_in_place(graph_, id);
      for (const ValueId output : node.outputs)
        if (output != kNone) changed_[static_cast<size_t>(output)] = true;
      for (Kept& each : unknown)
        if (graph_.value(each.value).fact.constant) keep(each.value, std::move(each.elements));
    } catch (const base::Error&) {
      // It contradicts itself, which the run will say.
    }
    for (const Body& body : node.bodies) bodies.restore(*body.graph);
  }

  void keep(ValueId value, std::optional<std::vector<Dim>> elements) {
    kept_.push_back({value, std::move(elements)});
    derivable_[static_cast<size_t>(value)] = true;
  }

  // Computes what `value` is made from, producers first; whether it is known then.
  bool compute_value(ValueId value) {
    std::vector<ValueId> pending{value};
    while (!pending.empty()) {
      const ValueId at = pending.back();
      if (!derivable_[static_cast<size_t>(at)]) return false;
      const Value& wanted = graph_.value(at);
      if (wanted.fact.constant) {
        pending.pop_back();
        continue;
      }
      bool ready = true;
      for (const ValueId in : graph_.node(wanted.producer).inputs)
        if (in != kNone && !graph_.value(in).fact.constant) {
          pending.push_back(in);
          ready = false;
        }
      if (!ready) continue;
      if (!compute_node(wanted.producer)) {
        derivable_[static_cast<size_t>(at)] = false;
        return false;
      }
      pending.pop_back();
    }
    return true;
  }

  bool compute_node(NodeId id) {
    const Node& node = graph_.node(id);
    int64_t elements = 0;
    std::vector<const Tensor*> inputs;
    std::vector<const Fact*> facts;
    for (const ValueId in : node.inputs) {
      facts.push_back(in == kNone ? nullptr : &graph_.value(in).fact);
      inputs.push_back(in == kNone ? nullptr : &facts.back()->constant);
      if (in != kNone && !facts.back()->constant) return false;
      if (in != kNone) elements += std::min(inputs.back()->count(), kMaxElements + 1);
      if (elements > kMaxElements) return false;
      if (in != kNone && depends_on_session(*inputs.back())) return false;
    }
    try {
      const std::vector<Fact> outputs = infer_node(graph_, node, facts);
      for (const Fact& fact : outputs) {
        const auto dims = fact.dims();
        if (dims && base::element_count(*dims) > kMaxElements) return false;
      }
      auto results = evaluator_.evaluate(node, inputs, outputs);
      if (!results || std::ranges::any_of(*results, depends_on_session)) return false;
      for (size_t k = 0; k < node.outputs.size(); ++k)
        if (node.outputs[k] != kNone && (*results)[k]) store(node.outputs[k], std::move((*results)[k]));
      return true;
    } catch (const base::Error&) {
      return false;
    }
  }

  void store(ValueId output, Tensor result) {
    Fact& fact = graph_.value(output).fact;
    if (fact.constant) return;
    Fact known = merge(Fact::of(std::move(result)), fact, graph_.value(output).name);
    keep(output, fact.elements);
    fact = std::move(known);
    changed_[static_cast<size_t>(output)] = true;
  }

  Graph& graph_;
  Evaluator& evaluator_;
  std::vector<bool> changed_;    // facts that became better
  std::vector<bool> derivable_;  // values that are constant, or made of such alone
  std::vector<Kept> kept_;       // values whose constant goes again
};

}  // namespace

void resolve_shapes(Graph& graph, Evaluator& evaluator) { Resolution(graph, evaluator).run(); }

}  // namespace onnxrun::ir
